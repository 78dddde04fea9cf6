// Convolutions of 3 x 3 pixels by Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin & Gray, "Fast algorithms for
// convolutional neural networks", 2016), included by kernels_body.h: 36 products for 16 pixels instead of 144. Channels
// lie together, so that a vector is 16 channels of one pixel.

/// t = B^T x of six values.
#define CK_WINOGRAD_INPUT(t, x)                                  \
    do {                                                         \
        const CK(half) a = x(4) - 4.0f * x(2);                   \
        const CK(half) b = x(3) - 4.0f * x(1);                   \
        const CK(half) c = x(4) - x(2), d = 2.0f * (x(3) - x(1)); \
        t(0) = 4.0f * x(0) - 5.0f * x(2) + x(4);                 \
        t(1) = a + b;                                            \
        t(2) = a - b;                                            \
        t(3) = c + d;                                            \
        t(4) = c - d;                                            \
        t(5) = 4.0f * x(1) - 5.0f * x(3) + x(5);                 \
    } while (0)

static void CK(winograd_input_f32)(float *v, size_t stride, const float *x, size_t pitch, size_t n) {
    _Pragma("clang fp contract(fast)") CK(half) t[6][6];
    for (size_t i = 0; i < n; i += CK_HALF) {
        for (size_t column = 0; column < 6; column++) {
            const float *p = x + column * n + i;
#define CK_FROM(r) CK_LOAD(p + (r) * pitch)
#define CK_TO(r) t[r][column]
            CK_WINOGRAD_INPUT(CK_TO, CK_FROM);
#undef CK_FROM
#undef CK_TO
        }
        for (size_t row = 0; row < 6; row++) {
            CK(half) out[6];
#define CK_FROM(c) t[row][c]
#define CK_TO(c) out[c]
            CK_WINOGRAD_INPUT(CK_TO, CK_FROM);
#undef CK_FROM
#undef CK_TO
            for (size_t c = 0; c < 6; c++) CK_STORE(v + (row * 6 + c) * stride + i, out[c]);
        }
    }
}

/// y = A^T m of six values: four.
#define CK_WINOGRAD_OUTPUT(y, m)                                       \
    do {                                                               \
        const CK(half) a = m(1) + m(2), b = m(1) - m(2);               \
        const CK(half) c = m(3) + m(4), d = m(3) - m(4);               \
        y(0) = m(0) + a + c;                                           \
        y(1) = b + 2.0f * d;                                           \
        y(2) = a + 4.0f * c;                                           \
        y(3) = b + 8.0f * d + m(5);                                    \
    } while (0)

static void CK(winograd_output_f32)(float *y, size_t pitch, size_t step, const float *m, size_t stride, size_t rows,
                                    size_t columns, size_t n) {
    _Pragma("clang fp contract(fast)") CK(half) t[4][6];
    for (size_t i = 0; i < n; i += CK_HALF) {
        for (size_t column = 0; column < 6; column++) {
            const float *p = m + column * stride + i;
#define CK_FROM(r) CK_LOAD(p + (r) * 6 * stride)
#define CK_TO(r) t[r][column]
            CK_WINOGRAD_OUTPUT(CK_TO, CK_FROM);
#undef CK_FROM
#undef CK_TO
        }
        for (size_t row = 0; row < rows; row++) {
            CK(half) out[4];
#define CK_FROM(c) t[row][c]
#define CK_TO(c) out[c]
            CK_WINOGRAD_OUTPUT(CK_TO, CK_FROM);
#undef CK_FROM
#undef CK_TO
            for (size_t c = 0; c < columns; c++) {
                float *p = y + row * pitch + c * step + i;
                CK_STORE(p, CK_LOAD(p) + out[c]);
            }
        }
    }
}
