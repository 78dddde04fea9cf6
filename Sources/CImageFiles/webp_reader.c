#include "reader.h"

#include <webp/decode.h>
#include <webp/demux.h>

/// Bytes that a step feeds: compressed pictures have about as many as rows of the picture take.
#define PIECE ((size_t)32 << 10)

typedef struct {
    cimage_reader base;
    WebPDemuxer *demuxer;
    /// The only picture, or the first of an animation, which may cover a part of the canvas.
    WebPIterator frame;
    WebPIDecoder *decoder;
    size_t fed;
} webp_reader;

cimage_reader *cimage_webp_new(void) { return calloc(1, sizeof(webp_reader)); }

void cimage_webp_open(cimage_reader *base) {
    webp_reader *reader = (webp_reader *)base;
    const WebPData data = {base->bytes, base->size};
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    // The partial parser tells a file that is cut short from a damaged one.
    reader->demuxer = WebPDemuxPartial(&data, &state);
    if (state == WEBP_DEMUX_PARSE_ERROR) cimage_fail(base, CIMAGE_CORRUPT, "its chunks do not fit together");
    if (state != WEBP_DEMUX_DONE) cimage_fail(base, CIMAGE_TRUNCATED, "");
    if (!reader->demuxer) cimage_fail(base, CIMAGE_NO_MEMORY, "");
    base->width = WebPDemuxGetI(reader->demuxer, WEBP_FF_CANVAS_WIDTH);
    base->height = WebPDemuxGetI(reader->demuxer, WEBP_FF_CANVAS_HEIGHT);
    if (!WebPDemuxGetFrame(reader->demuxer, 1, &reader->frame)) cimage_fail(base, CIMAGE_CORRUPT, "it has no picture");
    const WebPIterator *frame = &reader->frame;
    if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width < 1 || frame->height < 1 ||
        (uint32_t)frame->x_offset + (uint32_t)frame->width > base->width ||
        (uint32_t)frame->y_offset + (uint32_t)frame->height > base->height)
        cimage_fail(base, CIMAGE_CORRUPT, "its picture lies outside its canvas");
}

bool cimage_webp_step(cimage_reader *base, uint8_t *rgb, uint32_t rows) {
    (void)rows;
    webp_reader *reader = (webp_reader *)base;
    const WebPIterator *frame = &reader->frame;
    if (!reader->decoder && !(reader->decoder = WebPINewRGB(MODE_RGB, NULL, 0, 0)))
        cimage_fail(base, CIMAGE_NO_MEMORY, "");
    const size_t left = frame->fragment.size - reader->fed;
    reader->fed += left < PIECE ? left : PIECE;
    switch (WebPIUpdate(reader->decoder, frame->fragment.bytes, reader->fed)) {
        case VP8_STATUS_OK: break;
        case VP8_STATUS_SUSPENDED:
            if (reader->fed == frame->fragment.size) cimage_fail(base, CIMAGE_TRUNCATED, "");
            return true;
        case VP8_STATUS_OUT_OF_MEMORY: cimage_fail(base, CIMAGE_NO_MEMORY, "");
        case VP8_STATUS_NOT_ENOUGH_DATA: cimage_fail(base, CIMAGE_TRUNCATED, "");
        case VP8_STATUS_UNSUPPORTED_FEATURE: cimage_fail(base, CIMAGE_UNSUPPORTED, "an unknown feature");
        default: cimage_fail(base, CIMAGE_CORRUPT, "its picture cannot be decoded");
    }
    int last = 0, width = 0, height = 0, stride = 0;
    const uint8_t *source = WebPIDecGetRGB(reader->decoder, &last, &width, &height, &stride);
    if (!source || width != frame->width || height != frame->height || last != height)
        cimage_fail(base, CIMAGE_CORRUPT, "its picture has another size than it claims");
    for (int y = 0; y < height; y++)
        memcpy(rgb + (((size_t)frame->y_offset + y) * base->width + frame->x_offset) * 3, source + (size_t)y * stride,
               (size_t)width * 3);
    return false;
}

void cimage_webp_close(cimage_reader *base) {
    webp_reader *reader = (webp_reader *)base;
    WebPIDelete(reader->decoder);
    WebPDemuxReleaseIterator(&reader->frame);
    WebPDemuxDelete(reader->demuxer);
}
