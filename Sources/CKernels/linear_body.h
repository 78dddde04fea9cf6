// linear_f32, linear_f16, linear_bf16, included by kernels_body.h: products with weights as checkpoints keep them, one
// row per output, in the type they are stored in. A 16-bit weight is widened in a register, which is exact: it moves
// half the bytes, and a token's time is the time to read the weights.
//
// Each output is CK_HALF chains of multiply-adds over the inputs, folded by one fixed tree, in every tile shape: its
// bits do not depend on how many rows are multiplied at once.

typedef uint16_t CK(u16s) __attribute__((vector_size(CK_HALF * sizeof(uint16_t)), aligned(1)));
typedef uint32_t CK(u32s) __attribute__((vector_size(CK_HALF * sizeof(uint32_t))));

// Tiles of a few inputs by a few outputs, to fit the registers; CK_TILE_X inputs by CK_TILE_W outputs, or one by CK_WIDE.
#ifdef CK_REGISTERS_32
#define CK_TILE_X 4
#define CK_TILE_W 4
#define CK_WIDE 8
#else
#define CK_TILE_X 2
#define CK_TILE_W 2
#define CK_WIDE 4
#endif

typedef float CK(floats) __attribute__((vector_size(CK_HALF * sizeof(float)), aligned(1)));

static inline CK(half) CK(widen_f32)(const float *p) { return *(const CK(floats) *)p; }

static inline CK(half) CK(widen_bf16)(const uint16_t *p) {
    return (CK(half))(__builtin_convertvector(*(const CK(u16s) *)p, CK(u32s)) << 16);
}

#ifdef CK_WIDENS_F16
typedef _Float16 CK(f16s) __attribute__((vector_size(CK_HALF * sizeof(_Float16)), aligned(1)));
static inline CK(half) CK(widen_f16)(const uint16_t *p) {
    return __builtin_convertvector(*(const CK(f16s) *)p, CK(half));
}
#else
static inline CK(half) CK(widen_f16)(const uint16_t *p) {  // as f16_to_f32 does
    const CK(u32s) bits = __builtin_convertvector(*(const CK(u16s) *)p, CK(u32s));
    const CK(u32s) sign = (bits & 0x8000u) << 16, magnitude = (bits & 0x7fffu) << 13;
    const CK(u32s) infinite = (CK(u32s))(magnitude >= 0x0f800000u) & 0x7f800000u;
    return (CK(half))((CK(u32s))((CK(half))magnitude * 0x1p112f) | infinite | sign);
}
#endif

// Two vectors of partial sums become one with half as many for each; the pairs are the same wherever a sum stands.
#define CK_FOLD_8(a, b)                                                                                  \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +             \
     __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#define CK_FOLD_4(a, b)                                                                                  \
    (__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +           \
     __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
#define CK_FOLD_2(a, b)                                                                                  \
    (__builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +           \
     __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31))
#define CK_FOLD_1(a, b)                                                                                  \
    (__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +          \
     __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31))

/// The sum of each of four vectors, at 0..3.
static inline CK(half) CK(sums_4)(const CK(half) *s) {
    const CK(half) four = CK_FOLD_4(CK_FOLD_8(s[0], s[1]), CK_FOLD_8(s[2], s[3]));
    const CK(half) two = CK_FOLD_2(four, four);
    return CK_FOLD_1(two, two);
}

static inline CK(half) CK(sums_1)(const CK(half) *s) {
    const CK(half) eight = CK_FOLD_8(s[0], s[0]), four = CK_FOLD_4(eight, eight), two = CK_FOLD_2(four, four);
    return CK_FOLD_1(two, two);
}

#ifdef CK_REGISTERS_32
static inline CK(half) CK(twos_8)(const CK(half) *s) {
    return CK_FOLD_2(CK_FOLD_4(CK_FOLD_8(s[0], s[1]), CK_FOLD_8(s[2], s[3])),
                     CK_FOLD_4(CK_FOLD_8(s[4], s[5]), CK_FOLD_8(s[6], s[7])));
}
/// The sum of each of eight vectors, at 0..7.
static inline CK(half) CK(sums_8)(const CK(half) *s) {
    const CK(half) two = CK(twos_8)(s);
    return CK_FOLD_1(two, two);
}
/// The sum of each of sixteen vectors.
static inline CK(half) CK(sums_16)(const CK(half) *s) {
    const CK(half) low = CK(twos_8)(s), high = CK(twos_8)(s + 8);
    return CK_FOLD_1(low, high);
}
#endif

/// y[r, j] of `xs` rows by `ws` outputs; `sums` folds xs * ws vectors.
#define CK_LINEAR_TILE(name, type, widen, xs, ws, sums)                                                              \
    static void CK(name)(float *y, size_t ldy, const float *x, size_t ldx, const type *w, const float *bias,         \
                         size_t k, bool adding) {                                                                    \
        _Pragma("clang fp contract(fast)") CK(half) sum[xs * ws] = {0};                                              \
        size_t i = 0;                                                                                                \
        for (; i + CK_HALF <= k; i += CK_HALF) {                                                                     \
            CK(half) right[ws];                                                                                      \
            _Pragma("clang loop unroll(full)") for (size_t j = 0; j < ws; j++) right[j] = CK(widen)(w + j * k + i);  \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < xs; r++) {                                     \
                const CK(half) left = CK_LOAD(x + r * ldx + i);                                                      \
                _Pragma("clang loop unroll(full)") for (size_t j = 0; j < ws; j++) sum[r * ws + j] += left * right[j]; \
            }                                                                                                        \
        }                                                                                                            \
        if (i < k) {                                                                                                 \
            CK(half) right[ws];                                                                                      \
            _Pragma("clang loop unroll(full)") for (size_t j = 0; j < ws; j++) {                                     \
                type end[CK_HALF] = {0};                                                                             \
                memcpy(end, w + j * k + i, (k - i) * sizeof(type));                                                  \
                right[j] = CK(widen)(end);                                                                           \
            }                                                                                                        \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < xs; r++) {                                     \
                float end[CK_HALF] = {0};                                                                            \
                memcpy(end, x + r * ldx + i, (k - i) * sizeof(float));                                               \
                const CK(half) left = CK_LOAD(end);                                                                  \
                _Pragma("clang loop unroll(full)") for (size_t j = 0; j < ws; j++) sum[r * ws + j] += left * right[j]; \
            }                                                                                                        \
        }                                                                                                            \
        float out[CK_HALF];                                                                                          \
        CK_STORE(out, CK(sums)(sum));                                                                                \
        for (size_t r = 0; r < xs; r++)                                                                              \
            for (size_t j = 0; j < ws; j++) {                                                                        \
                const float value = out[r * ws + j] + (bias ? bias[j] : 0);                                          \
                y[r * ldy + j] = adding ? y[r * ldy + j] + value : value;                                            \
            }                                                                                                        \
    }

#ifdef CK_REGISTERS_32
#define CK_SUMS_TILE sums_16
#define CK_SUMS_WIDE sums_8
#else
#define CK_SUMS_TILE sums_4
#define CK_SUMS_WIDE sums_4
#endif

#define CK_LINEAR(name, type, widen)                                                                                 \
    CK_LINEAR_TILE(name##_tile, type, widen, CK_TILE_X, CK_TILE_W, CK_SUMS_TILE)                                     \
    CK_LINEAR_TILE(name##_wide, type, widen, 1, CK_WIDE, CK_SUMS_WIDE)                                               \
    CK_LINEAR_TILE(name##_one, type, widen, 1, 1, sums_1)                                                            \
    static void CK(name)(float *y, size_t ldy, const float *x, size_t ldx, const type *w, const float *bias,         \
                         size_t m, size_t n, size_t k, bool adding) {                                                \
        const size_t tall = m - m % CK_TILE_X;                                                                       \
        for (size_t start = 0; start < n; start += CK_WIDE) { /* these weights stay in the cache for all rows */     \
            const size_t end = n - start < CK_WIDE ? n : start + CK_WIDE;                                            \
            size_t r = 0;                                                                                            \
            for (; r < tall; r += CK_TILE_X) {                                                                       \
                size_t j = start;                                                                                    \
                for (; j + CK_TILE_W <= end; j += CK_TILE_W)                                                         \
                    CK(name##_tile)(y + r * ldy + j, ldy, x + r * ldx, ldx, w + j * k, bias ? bias + j : NULL, k,    \
                                    adding);                                                                         \
                for (; j < end; j++)                                                                                 \
                    for (size_t t = r; t < r + CK_TILE_X; t++)                                                       \
                        CK(name##_one)(y + t * ldy + j, ldy, x + t * ldx, ldx, w + j * k, bias ? bias + j : NULL, k, \
                                       adding);                                                                      \
            }                                                                                                        \
            for (; r < m; r++) {                                                                                     \
                size_t j = start;                                                                                    \
                for (; j + CK_WIDE <= end; j += CK_WIDE)                                                             \
                    CK(name##_wide)(y + r * ldy + j, ldy, x + r * ldx, ldx, w + j * k, bias ? bias + j : NULL, k,    \
                                    adding);                                                                         \
                for (; j < end; j++)                                                                                 \
                    CK(name##_one)(y + r * ldy + j, ldy, x + r * ldx, ldx, w + j * k, bias ? bias + j : NULL, k,     \
                                   adding);                                                                          \
            }                                                                                                        \
        }                                                                                                            \
    }

CK_LINEAR(linear_f32, float, widen_f32)
CK_LINEAR(linear_f16, uint16_t, widen_f16)
CK_LINEAR(linear_bf16, uint16_t, widen_bf16)
