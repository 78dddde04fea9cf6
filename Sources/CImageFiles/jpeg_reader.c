#include "reader.h"

#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

/// Bytes that a step feeds where a picture has several scans, which libjpeg reads before it gives any row.
#define PIECE ((size_t)64 << 10)
/// A picture may claim any number of scans over all of its pixels for a few bytes each; real ones have about ten.
#define MAX_SCANS 100

typedef struct {
    cimage_reader base;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    /// Bytes of the file that libjpeg may see so far.
    size_t fed;
    /// Bytes of the file that libjpeg wants skipped beyond what it has seen.
    size_t skipped;
    bool created, started;
    uint8_t *cmyk;
} jpeg_reader;

static void on_error(j_common_ptr jpeg) {
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    const int code = jpeg->err->msg_code;
    const cimage_status status = code == JERR_OUT_OF_MEMORY ? CIMAGE_NO_MEMORY
                                 : code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_NOT_COMPILED
                                     ? CIMAGE_UNSUPPORTED
                                     : CIMAGE_CORRUPT;
    cimage_fail(jpeg->client_data, status, code == JERR_EMPTY_IMAGE ? "it has no pixels" : message);
}

/// Bad data between the markers costs some blocks, as in any viewer.
static void on_message(j_common_ptr jpeg, int level) {
    if (level < 0) jpeg->err->num_warnings++;
}

static void on_source(j_decompress_ptr jpeg) { (void)jpeg; }

/// No more bytes: libjpeg takes its last steps back and returns, to be called again with more.
static boolean on_empty(j_decompress_ptr jpeg) {
    jpeg_reader *reader = jpeg->client_data;
    if (reader->fed == reader->base.size) cimage_fail(&reader->base, CIMAGE_TRUNCATED, "");
    return FALSE;
}

static void on_skip(j_decompress_ptr jpeg, long count) {
    jpeg_reader *reader = jpeg->client_data;
    if (count <= 0) return;
    const size_t here = (size_t)count < jpeg->src->bytes_in_buffer ? (size_t)count : jpeg->src->bytes_in_buffer;
    jpeg->src->next_input_byte += here;
    jpeg->src->bytes_in_buffer -= here;
    reader->skipped = (size_t)count - here;
}

/// Lets libjpeg see more of the file.
static void feed(jpeg_reader *reader, size_t count) {
    const size_t left = reader->base.size - reader->fed;
    if (reader->skipped > left) cimage_fail(&reader->base, CIMAGE_TRUNCATED, "");
    const size_t more = reader->skipped + count < left ? reader->skipped + count : left;
    reader->fed += more;
    reader->source.bytes_in_buffer += more - reader->skipped;
    reader->source.next_input_byte += reader->skipped;
    reader->skipped = 0;
}

static void on_progress(j_common_ptr jpeg) {
    jpeg_reader *reader = jpeg->client_data;
    if (reader->jpeg.input_scan_number > MAX_SCANS) cimage_fail(&reader->base, CIMAGE_CORRUPT, "too many scans");
}

cimage_reader *cimage_jpeg_new(void) { return calloc(1, sizeof(jpeg_reader)); }

void cimage_jpeg_open(cimage_reader *base) {
    jpeg_reader *reader = (jpeg_reader *)base;
    j_decompress_ptr jpeg = &reader->jpeg;
    jpeg->err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    jpeg->client_data = reader;
    jpeg_create_decompress(jpeg);
    reader->created = true;
    reader->progress.progress_monitor = on_progress;
    jpeg->progress = &reader->progress;
    reader->source = (struct jpeg_source_mgr){.next_input_byte = base->bytes,
                                              .init_source = on_source,
                                              .fill_input_buffer = on_empty,
                                              .skip_input_data = on_skip,
                                              .resync_to_restart = jpeg_resync_to_restart,
                                              .term_source = on_source};
    jpeg->src = &reader->source;
    do feed(reader, PIECE);
    while (jpeg_read_header(jpeg, TRUE) == JPEG_SUSPENDED);
    base->width = jpeg->image_width;
    base->height = jpeg->image_height;
    switch (jpeg->num_components) {
        case 1:
        case 3: jpeg->out_color_space = JCS_RGB; break;
        case 4: jpeg->out_color_space = JCS_CMYK; break;
        default: {
            char reason[80];
            snprintf(reason, sizeof reason, "%d colour components; 1, 3 or 4 are", jpeg->num_components);
            cimage_fail(base, CIMAGE_UNSUPPORTED, reason);
        }
    }
}

/// a * b / 255 to the nearest, for bytes.
static inline unsigned scaled(unsigned a, unsigned b) {
    const unsigned product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

/// Inks to light, as Pillow does it. Files hold 255 minus the ink, after Adobe's habit: what libjpeg gives is how much of
/// each ink is missing.
static void rgb_of_cmyk(uint8_t *rgb, const uint8_t *cmyk, uint32_t width) {
    for (uint32_t x = 0; x < width; x++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(cmyk[3] - scaled(255u - cmyk[c], cmyk[3]));
}

bool cimage_jpeg_step(cimage_reader *base, uint8_t *rgb, uint32_t rows) {
    jpeg_reader *reader = (jpeg_reader *)base;
    j_decompress_ptr jpeg = &reader->jpeg;
    if (!reader->started) {
        // Of a single scan the rows come as the bytes do.
        feed(reader, jpeg_has_multiple_scans(jpeg) ? PIECE : reader->base.size);
        if (!jpeg_start_decompress(jpeg)) return true;
        reader->started = true;
        if (jpeg->output_width != base->width || jpeg->output_height != base->height)
            cimage_fail(base, CIMAGE_CORRUPT, "its height changes");
    }
    if (jpeg->out_color_space == JCS_CMYK && !reader->cmyk && !(reader->cmyk = malloc((size_t)base->width * 4)))
        cimage_fail(base, CIMAGE_NO_MEMORY, "");
    for (; rows > 0 && jpeg->output_scanline < base->height; rows--) {
        uint8_t *target = rgb + (size_t)jpeg->output_scanline * base->width * 3;
        JSAMPROW row = reader->cmyk ? reader->cmyk : target;
        while (jpeg_read_scanlines(jpeg, &row, 1) == 0) feed(reader, PIECE);
        if (reader->cmyk) rgb_of_cmyk(target, reader->cmyk, base->width);
    }
    return jpeg->output_scanline < base->height;
}

void cimage_jpeg_close(cimage_reader *base) {
    jpeg_reader *reader = (jpeg_reader *)base;
    if (reader->created) jpeg_destroy_decompress(&reader->jpeg);
    free(reader->cmyk);
}
