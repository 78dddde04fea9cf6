#pragma once
#include <zlib.h>

/// `inflateInit2` is a macro, which Swift does not import. Minus 15 asks for a bare deflate stream, as zip entries are.
static inline int czlib_inflate_init_bare(z_stream *stream) {
    return inflateInit2(stream, -15);
}
