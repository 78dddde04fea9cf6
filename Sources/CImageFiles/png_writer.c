#include "cimagefiles.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct cimage_writer {
    png_structp png;
    png_infop info;
    uint32_t width, height, rows;
    uint8_t *bytes;
    size_t size, capacity;
    bool out_of_memory;
    char reason[200];
    jmp_buf jump;
};

static void on_error(png_structp png, png_const_charp message) {
    cimage_writer *writer = png_get_error_ptr(png);
    snprintf(writer->reason, sizeof writer->reason, "%s", message);
    longjmp(writer->jump, 1);
}

/// A warning would be a chunk that is not what was asked for.
static void on_warning(png_structp png, png_const_charp message) { on_error(png, message); }

static void on_write(png_structp png, png_bytep bytes, size_t count) {
    cimage_writer *writer = png_get_io_ptr(png);
    if (writer->capacity - writer->size < count) {
        size_t capacity = writer->capacity ? writer->capacity * 2 : (size_t)64 << 10;
        while (capacity - writer->size < count) capacity *= 2;
        uint8_t *grown = realloc(writer->bytes, capacity);
        if (!grown) {
            writer->out_of_memory = true;
            png_error(png, "out of memory");
        }
        writer->bytes = grown;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->size, bytes, count);
    writer->size += count;
}

static void on_flush(png_structp png) { (void)png; }

static cimage_status failed(const cimage_writer *writer, char *reason, size_t reason_size) {
    snprintf(reason, reason_size, "%s", writer->reason);
    return writer->out_of_memory ? CIMAGE_NO_MEMORY : CIMAGE_CORRUPT;
}

static void set_texts(cimage_writer *writer, const cimage_text *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        png_text text = {.compression = texts[i].is_utf8 ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE,
                         .key = (png_charp)texts[i].keyword,
                         .text = (png_charp)texts[i].text,
                         .text_length = texts[i].is_utf8 ? 0 : strlen(texts[i].text),
                         .itxt_length = texts[i].is_utf8 ? strlen(texts[i].text) : 0,
                         .lang = "",
                         .lang_key = ""};
        png_set_text(writer->png, writer->info, &text, 1);
    }
}

cimage_status cimage_writer_open(uint32_t width, uint32_t height, const cimage_text *texts, size_t text_count,
                                 int compression, cimage_writer **result, char *reason, size_t reason_size) {
    *result = NULL;
    reason[0] = 0;
    // Not changed after setjmp: what a local variable holds after a jump is otherwise undefined.
    cimage_writer *const writer = calloc(1, sizeof *writer);
    if (!writer) return CIMAGE_NO_MEMORY;
    if (setjmp(writer->jump)) {
        const cimage_status status = failed(writer, reason, reason_size);
        cimage_writer_close(writer);
        return status;
    }
    writer->width = width;
    writer->height = height;
    writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, on_error, on_warning);
    if (writer->png) writer->info = png_create_info_struct(writer->png);
    if (!writer->info) {
        cimage_writer_close(writer);
        return CIMAGE_NO_MEMORY;
    }
    png_set_write_fn(writer->png, writer, on_write, on_flush);
    png_set_user_limits(writer->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(writer->png, writer->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(writer->png, compression);
    set_texts(writer, texts, text_count);
    png_write_info(writer->png, writer->info);
    *result = writer;
    return CIMAGE_DONE;
}

cimage_status cimage_writer_rows(cimage_writer *writer, const uint8_t *rgb, uint32_t rows, char *reason,
                                 size_t reason_size) {
    reason[0] = 0;
    if (setjmp(writer->jump)) return failed(writer, reason, reason_size);
    if (rows > writer->height - writer->rows) png_error(writer->png, "more rows than the picture has");
    for (; rows > 0; rows--, writer->rows++, rgb += (size_t)writer->width * 3) png_write_row(writer->png, rgb);
    return writer->rows < writer->height ? CIMAGE_MORE : CIMAGE_DONE;
}

cimage_status cimage_writer_finish(cimage_writer *writer, const uint8_t **bytes, size_t *size, char *reason,
                                   size_t reason_size) {
    reason[0] = 0;
    if (setjmp(writer->jump)) return failed(writer, reason, reason_size);
    png_write_end(writer->png, NULL);
    *bytes = writer->bytes;
    *size = writer->size;
    return CIMAGE_DONE;
}

void cimage_writer_close(cimage_writer *writer) {
    if (!writer) return;
    png_destroy_write_struct(&writer->png, &writer->info);
    free(writer->bytes);
    free(writer);
}
