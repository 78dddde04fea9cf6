#include "reader.h"

#include <png.h>

typedef struct {
    cimage_reader base;
    png_structp png;
    png_infop info;
    size_t position;
    /// Adam7 sends a picture in 7 passes, each of which visits every row.
    int passes, pass;
    uint32_t row;
} png_reader;

static void on_error(png_structp png, png_const_charp message) {
    cimage_fail(png_get_error_ptr(png), CIMAGE_CORRUPT, message);
}

/// Warnings are about what stands beside the pixels.
static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep target, size_t count) {
    png_reader *reader = png_get_io_ptr(png);
    if (count > reader->base.size - reader->position) cimage_fail(&reader->base, CIMAGE_TRUNCATED, "");
    memcpy(target, reader->base.bytes + reader->position, count);
    reader->position += count;
}

/// libpng calls a picture without pixels "invalid IHDR data", as it does other things. The header is the first chunk.
static bool is_empty(const cimage_reader *base) {
    static const uint8_t none[4] = {0};
    return base->size >= 24 && memcmp(base->bytes + 12, "IHDR", 4) == 0 &&
           (memcmp(base->bytes + 16, none, 4) == 0 || memcmp(base->bytes + 20, none, 4) == 0);
}

cimage_reader *cimage_png_new(void) { return calloc(1, sizeof(png_reader)); }

void cimage_png_open(cimage_reader *base) {
    png_reader *reader = (png_reader *)base;
    if (is_empty(base)) cimage_fail(base, CIMAGE_CORRUPT, "it has no pixels");
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, base, on_error, on_warning);
    if (!png) cimage_fail(base, CIMAGE_NO_MEMORY, "");
    reader->png = png;
    if (!(reader->info = png_create_info_struct(png))) cimage_fail(base, CIMAGE_NO_MEMORY, "");
    png_set_read_fn(png, reader, on_read);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // Nothing looks at what stands beside the pixels, and compressed text and profiles would be inflated.
    static const png_byte passed_over[] = "iCCP\0tEXt\0zTXt\0iTXt\0eXIf\0sPLT\0hIST\0";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, passed_over, 7);
    png_read_info(png, reader->info);
    base->width = png_get_image_width(png, reader->info);
    base->height = png_get_image_height(png, reader->info);
}

static void begin(png_reader *reader) {
    png_structp png = reader->png;
    const int type = png_get_color_type(png, reader->info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (!(type & PNG_COLOR_MASK_COLOR)) {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
    }
    // The high byte of 16 bits, and no gamma: as Pillow does it.
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    reader->passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    if (png_get_rowbytes(png, reader->info) != (size_t)reader->base.width * 3)
        cimage_fail(&reader->base, CIMAGE_UNSUPPORTED, "pixels of an unknown kind");
}

bool cimage_png_step(cimage_reader *base, uint8_t *rgb, uint32_t rows) {
    png_reader *reader = (png_reader *)base;
    if (reader->passes == 0) begin(reader);
    for (; rows > 0 && reader->pass < reader->passes; rows--) {
        png_read_row(reader->png, rgb + (size_t)reader->row * base->width * 3, NULL);
        if (++reader->row < base->height) continue;
        reader->row = 0;
        reader->pass++;
    }
    return reader->pass < reader->passes;
}

void cimage_png_close(cimage_reader *base) {
    png_reader *reader = (png_reader *)base;
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
}
