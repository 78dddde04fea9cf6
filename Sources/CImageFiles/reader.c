#include "reader.h"

#include <stdio.h>

/// What a format's reader does: `open` and `step` may jump out by cimage_fail; `step` tells whether there is more.
typedef struct {
    cimage_reader *(*create)(void);
    void (*open)(cimage_reader *);
    bool (*step)(cimage_reader *, uint8_t *, uint32_t);
    void (*close)(cimage_reader *);
} format_functions;

static const format_functions formats[] = {
    [CIMAGE_PNG] = {cimage_png_new, cimage_png_open, cimage_png_step, cimage_png_close},
    [CIMAGE_JPEG] = {cimage_jpeg_new, cimage_jpeg_open, cimage_jpeg_step, cimage_jpeg_close},
    [CIMAGE_WEBP] = {cimage_webp_new, cimage_webp_open, cimage_webp_step, cimage_webp_close},
};

void cimage_fail(cimage_reader *reader, cimage_status status, const char *reason) {
    reader->failure = status;
    snprintf(reader->reason, sizeof reader->reason, "%s", reason);
    longjmp(reader->jump, 1);
}

static cimage_status failed(const cimage_reader *reader, char *reason, size_t reason_size) {
    snprintf(reason, reason_size, "%s", reader->reason);
    return reader->failure;
}

cimage_status cimage_open(cimage_format format, const uint8_t *bytes, size_t size, cimage_reader **result,
                          uint32_t *width, uint32_t *height, char *reason, size_t reason_size) {
    *result = NULL;
    reason[0] = 0;
    // Not changed after setjmp: what a local variable holds after a jump is otherwise undefined.
    cimage_reader *const reader = formats[format].create();
    if (!reader) return CIMAGE_NO_MEMORY;
    reader->format = format;
    reader->bytes = bytes;
    reader->size = size;
    if (setjmp(reader->jump)) {
        const cimage_status status = failed(reader, reason, reason_size);
        cimage_close(reader);
        return status;
    }
    formats[format].open(reader);
    *width = reader->width;
    *height = reader->height;
    *result = reader;
    return CIMAGE_DONE;
}

cimage_status cimage_step(cimage_reader *reader, uint8_t *rgb, uint32_t rows, char *reason, size_t reason_size) {
    reason[0] = 0;
    if (setjmp(reader->jump)) return failed(reader, reason, reason_size);
    return formats[reader->format].step(reader, rgb, rows) ? CIMAGE_MORE : CIMAGE_DONE;
}

void cimage_close(cimage_reader *reader) {
    if (!reader) return;
    formats[reader->format].close(reader);
    free(reader);
}
