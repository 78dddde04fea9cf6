// libpng and libjpeg report errors by longjmp, which must not cross a Swift frame, and their interfaces are macros and
// structs of callbacks. These functions catch every jump and hand back a status and a one-line reason instead. libwebp
// stands behind the same functions.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum {
    CIMAGE_DONE,
    /// There is more to do: call again.
    CIMAGE_MORE,
    /// The file ends before the picture does.
    CIMAGE_TRUNCATED,
    /// The file is damaged; the reason says how.
    CIMAGE_CORRUPT,
    /// The file is sound, but of a kind that is not read; the reason says which.
    CIMAGE_UNSUPPORTED,
    CIMAGE_NO_MEMORY,
} cimage_status;

typedef enum { CIMAGE_PNG, CIMAGE_JPEG, CIMAGE_WEBP } cimage_format;

/// A picture that is being decoded. It may be used by one thread at a time.
typedef struct cimage_reader cimage_reader;

/// Reads the header of a file; the bytes must outlive the reader. What the header claims is allocated by nobody yet.
/// `*reader` is NULL unless the result is CIMAGE_DONE. `reason` is always terminated.
cimage_status cimage_open(cimage_format format, const uint8_t *bytes, size_t size, cimage_reader **reader,
                          uint32_t *width, uint32_t *height, char *reason, size_t reason_size);

/// Decodes a piece: about `rows` rows, or as many compressed bytes as take about that long. rgb: [height, width, 3], the
/// same memory in each call, zeros before the first. CIMAGE_DONE when the picture is complete.
cimage_status cimage_step(cimage_reader *reader, uint8_t *rgb, uint32_t rows, char *reason, size_t reason_size);

void cimage_close(cimage_reader *reader);

/// A PNG file that is being written to memory. It may be used by one thread at a time.
typedef struct cimage_writer cimage_writer;

/// A text chunk: keyword of 1 to 79 Latin-1 characters, text without zero bytes; UTF-8 when `is_utf8`, else Latin-1.
typedef struct {
    const char *keyword;
    const char *text;
    int is_utf8;
} cimage_text;

/// Begins an 8-bit RGB file. compression: 0 to 9.
cimage_status cimage_writer_open(uint32_t width, uint32_t height, const cimage_text *texts, size_t text_count,
                                 int compression, cimage_writer **writer, char *reason, size_t reason_size);

/// Appends rows; rgb: [rows, width, 3]. No more of them in all than the picture is high.
cimage_status cimage_writer_rows(cimage_writer *writer, const uint8_t *rgb, uint32_t rows, char *reason,
                                 size_t reason_size);

/// Ends the file, once it has all rows. The bytes belong to the writer.
cimage_status cimage_writer_finish(cimage_writer *writer, const uint8_t **bytes, size_t *size, char *reason,
                                   size_t reason_size);

void cimage_writer_close(cimage_writer *writer);
