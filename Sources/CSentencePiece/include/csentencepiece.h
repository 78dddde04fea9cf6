// A C face for libsentencepiece, which only speaks C++. No C++ exception crosses it: every failure comes back as a
// return value and a one-line reason. Loaded processors are constant: any number of threads may encode with one.
#ifndef CSENTENCEPIECE_H
#define CSENTENCEPIECE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csp_processor csp_processor;

/// Loads a serialized ModelProto. NULL on failure, with the reason (cut to fit, always terminated) in `reason`.
csp_processor *csp_load(const void *model, size_t size, char *reason, size_t reason_size);

void csp_free(csp_processor *processor);

/// Number of pieces: ids run from 0 to this, exclusive.
size_t csp_piece_count(const csp_processor *processor);

/// Encodes `size` bytes of UTF-8 (zero bytes allowed) to piece ids. The ids are stored in `*ids`, to be given back to
/// csp_free_ids; the result is their number, or -1 with the reason in `reason` and `*ids` NULL.
ptrdiff_t csp_encode(const csp_processor *processor, const char *text, size_t size, int32_t **ids,
                     char *reason, size_t reason_size);

void csp_free_ids(int32_t *ids);

#ifdef __cplusplus
}
#endif

#endif
