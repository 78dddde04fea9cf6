// What the readers of each format have in common.
#pragma once

#include "cimagefiles.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct cimage_reader {
    cimage_format format;
    const uint8_t *bytes;
    size_t size;
    uint32_t width, height;
    /// What stopped the library, for who catches the jump.
    cimage_status failure;
    char reason[200];
    jmp_buf jump;
};

/// Notes a failure and jumps to whoever called into the library.
_Noreturn void cimage_fail(cimage_reader *reader, cimage_status status, const char *reason);

cimage_reader *cimage_png_new(void);
void cimage_png_open(cimage_reader *reader);
bool cimage_png_step(cimage_reader *reader, uint8_t *rgb, uint32_t rows);
void cimage_png_close(cimage_reader *reader);

cimage_reader *cimage_jpeg_new(void);
void cimage_jpeg_open(cimage_reader *reader);
bool cimage_jpeg_step(cimage_reader *reader, uint8_t *rgb, uint32_t rows);
void cimage_jpeg_close(cimage_reader *reader);

cimage_reader *cimage_webp_new(void);
void cimage_webp_open(cimage_reader *reader);
bool cimage_webp_step(cimage_reader *reader, uint8_t *rgb, uint32_t rows);
void cimage_webp_close(cimage_reader *reader);
