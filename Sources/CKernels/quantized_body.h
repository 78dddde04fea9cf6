// quantize_rows, linear_q8, linear_q4, pack_q8, pack_q4, included by kernels_body.h: products with weights of 8 or 4
// bits. Along the inputs, CK_GROUP neighbours share a scale; both sides of a product are whole numbers then, which are
// multiplied and summed exactly, and one multiply-add in fp32 for each group brings the scales back.
//
// Weights lie in panels of CK_LANES outputs, so that a vector holds the same inputs of many outputs and no sum has to be
// folded. Within a panel: groups, in them quads of inputs, in them outputs. A weight of 8 bits is stored plus 128, one
// of 4 bits plus 8 (two quads share a vector, the first in the low halves), since instructions want one side unsigned;
// what that adds is the activations' sum, known beforehand, and where the sum starts.
//
// Every output is one chain over the groups: its bits do not depend on how many rows or outputs are computed at once.

#define CK_QUADS (CK_GROUP / 4)
#define CK_Q8_BYTES (CK_LANES * CK_GROUP)
#define CK_Q4_BYTES (CK_LANES * CK_GROUP / 2)

typedef float CK(lanes) __attribute__((vector_size(CK_LANES * sizeof(float)), aligned(4)));
typedef int32_t CK(ints) __attribute__((vector_size(CK_LANES * sizeof(int32_t)), aligned(4)));
typedef uint16_t CK(words) __attribute__((vector_size(CK_LANES * sizeof(uint16_t)), aligned(1)));
typedef uint32_t CK(longs) __attribute__((vector_size(CK_LANES * sizeof(uint32_t))));

/// Sixteen bfloat16 scales as floats.
static inline CK(lanes) CK(scales)(const uint16_t *p) {
    return (CK(lanes))(__builtin_convertvector(*(const CK(words) *)p, CK(longs)) << 16);
}

// sum[o] += sum over four inputs i of w[o * 4 + i] * x[i], for 16 outputs o; w: 64 unsigned bytes, x: 4 signed ones.
#if defined(CK_VNNI)
typedef __m512i CK(bytes);
static inline CK(bytes) CK(bytes_load)(const uint8_t *w) { return _mm512_loadu_si512(w); }
static inline CK(bytes) CK(low_halves)(CK(bytes) w) { return _mm512_and_si512(w, _mm512_set1_epi8(15)); }
static inline CK(bytes) CK(high_halves)(CK(bytes) w) {
    return _mm512_and_si512(_mm512_srli_epi16(w, 4), _mm512_set1_epi8(15));
}
static inline CK(ints) CK(quad)(CK(ints) sum, CK(bytes) w, const int8_t *x) {
    int32_t four;
    memcpy(&four, x, 4);
    return (CK(ints))_mm512_dpbusd_epi32((__m512i)sum, w, _mm512_set1_epi32(four));
}
static inline CK(ints) CK(quads_q4)(CK(ints) sum, CK(bytes) pair, const int8_t *x) {
    return CK(quad)(CK(quad)(sum, CK(low_halves)(pair), x), CK(high_halves)(pair), x + 4);
}
#elif defined(CK_MADD)
// 256-bit vectors. A sum of two products of unsigned and signed bytes may not fit 16 bits: weights of 8 bits are taken
// apart into magnitude and sign instead, and their sums start at 0.
#define CK_Q8_ZERO 0
typedef struct {
    __m256i half[2];
} CK(bytes);
static inline CK(bytes) CK(bytes_load)(const uint8_t *w) {
    return (CK(bytes)){{_mm256_loadu_si256((const __m256i *)w), _mm256_loadu_si256((const __m256i *)(w + 32))}};
}
static inline CK(ints) CK(quad)(CK(ints) sum, CK(bytes) w, const int8_t *x) {
    // |w| * (x with the sign of w): at most 2 * 128 * 127, which fits 16 bits.
    int32_t four;
    memcpy(&four, x, 4);
    const __m256i all = _mm256_set1_epi32(four);
    __m256i part[2];
    for (int h = 0; h < 2; h++) {
        const __m256i centred = _mm256_xor_si256(w.half[h], _mm256_set1_epi8(-128));
        const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(centred), _mm256_sign_epi8(all, centred));
        part[h] = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    }
    CK(ints) parts;
    memcpy(&parts, part, sizeof parts);
    return sum + parts;
}
static inline CK(ints) CK(quads_q4)(CK(ints) sum, CK(bytes) pair, const int8_t *x) {
    // Weights below 16 are small enough for sums of four products in 16 bits.
    int32_t first, second;
    memcpy(&first, x, 4);
    memcpy(&second, x + 4, 4);
    const __m256i x0 = _mm256_set1_epi32(first), x1 = _mm256_set1_epi32(second), mask = _mm256_set1_epi8(15);
    __m256i part[2];
    for (int h = 0; h < 2; h++) {
        const __m256i low = _mm256_and_si256(pair.half[h], mask);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(pair.half[h], 4), mask);
        const __m256i four = _mm256_add_epi16(_mm256_maddubs_epi16(low, x0), _mm256_maddubs_epi16(high, x1));
        part[h] = _mm256_madd_epi16(four, _mm256_set1_epi16(1));
    }
    CK(ints) parts;
    memcpy(&parts, part, sizeof parts);
    return sum + parts;
}
#else
typedef struct {
    uint8_t byte[64];
} CK(bytes);
static inline CK(bytes) CK(bytes_load)(const uint8_t *w) {
    CK(bytes) all;
    memcpy(all.byte, w, 64);
    return all;
}
static inline CK(ints) CK(quad)(CK(ints) sum, CK(bytes) w, const int8_t *x) {
    for (size_t o = 0; o < CK_LANES; o++)
        sum[o] += w.byte[o * 4] * x[0] + w.byte[o * 4 + 1] * x[1] + w.byte[o * 4 + 2] * x[2] + w.byte[o * 4 + 3] * x[3];
    return sum;
}
static inline CK(ints) CK(quads_q4)(CK(ints) sum, CK(bytes) pair, const int8_t *x) {
    for (size_t o = 0; o < CK_LANES; o++)
        for (size_t i = 0; i < 4; i++)
            sum[o] += (pair.byte[o * 4 + i] & 15) * x[i] + (pair.byte[o * 4 + i] >> 4) * x[4 + i];
    return sum;
}
#endif

/// `rows` rows of x by one panel. `zero` is what stands for 0 in the weights.
#define CK_QUANTIZED_TILE(name, rows, bytes, zero, accumulate)                                                        \
    static void CK(name)(float *y, size_t ldy, const int8_t *x, const float *xs, const int32_t *sums, const uint8_t *w, \
                         const uint16_t *ws, const float *bias, size_t width, size_t k, bool adding) {                \
        _Pragma("clang fp contract(fast)") CK(lanes) total[rows] = {0};                                               \
        for (size_t g = 0; g < k / CK_GROUP; g++) {                                                                   \
            CK(ints) sum[rows];                                                                                       \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) sum[r] =                             \
                (CK(ints)){0} - zero * sums[r * (k / CK_GROUP) + g];                                                  \
            accumulate(rows, w + g * bytes, x + g * CK_GROUP) const CK(lanes) scale = CK(scales)(ws + g * CK_LANES);  \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) total[r] +=                          \
                __builtin_convertvector(sum[r], CK(lanes)) * (scale * xs[r * (k / CK_GROUP) + g]);                    \
        }                                                                                                             \
        for (size_t r = 0; r < rows; r++)                                                                             \
            for (size_t o = 0; o < width; o++) {                                                                      \
                const float value = total[r][o] + (bias ? bias[o] : 0);                                               \
                y[r * ldy + o] = adding ? y[r * ldy + o] + value : value;                                             \
            }                                                                                                         \
    }

#define CK_ACCUMULATE_Q8(rows, w, x)                                                          \
    _Pragma("clang loop unroll(full)") for (size_t q = 0; q < CK_QUADS; q++) {                \
        const CK(bytes) all = CK(bytes_load)((w) + q * 64);                                   \
        _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) sum[r] =         \
            CK(quad)(sum[r], all, (x) + r * k + q * 4);                                       \
    }

#define CK_ACCUMULATE_Q4(rows, w, x)                                                          \
    _Pragma("clang loop unroll(full)") for (size_t q = 0; q < CK_QUADS; q += 2) {             \
        const CK(bytes) pair = CK(bytes_load)((w) + q * 32);                                  \
        _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) sum[r] =         \
            CK(quads_q4)(sum[r], pair, (x) + r * k + q * 4);                                  \
    }

#ifndef CK_Q8_ZERO
#define CK_Q8_ZERO 128
#endif

#define CK_QUANTIZED(name, bytes, zero, accumulate)                                                                   \
    CK_QUANTIZED_TILE(name##_four, 4, bytes, zero, accumulate)                                                        \
    CK_QUANTIZED_TILE(name##_one, 1, bytes, zero, accumulate)                                                         \
    static void CK(name)(float *y, size_t ldy, const int8_t *x, const float *xs, const int32_t *sums, const uint8_t *w, \
                         const uint16_t *ws, const float *bias, size_t m, size_t n, size_t k, bool adding) {          \
        const size_t groups = k / CK_GROUP;                                                                           \
        for (size_t j = 0; j < n; j += CK_LANES, w += groups * bytes, ws += groups * CK_LANES) {                      \
            const size_t width = n - j < CK_LANES ? n - j : CK_LANES;                                                 \
            const float *b = bias ? bias + j : NULL;                                                                  \
            size_t r = 0;                                                                                             \
            for (; r + 4 <= m; r += 4)                                                                                \
                CK(name##_four)(y + r * ldy + j, ldy, x + r * k, xs + r * groups, sums + r * groups, w, ws, b, width, \
                                k, adding);                                                                           \
            for (; r < m; r++)                                                                                        \
                CK(name##_one)(y + r * ldy + j, ldy, x + r * k, xs + r * groups, sums + r * groups, w, ws, b, width,  \
                               k, adding);                                                                            \
        }                                                                                                             \
    }

CK_QUANTIZED(linear_q8, CK_Q8_BYTES, CK_Q8_ZERO, CK_ACCUMULATE_Q8)
CK_QUANTIZED(linear_q4, CK_Q4_BYTES, 8, CK_ACCUMULATE_Q4)

static inline float CK(magnitude)(float x) { return x < 0 ? -x : x; }

static void CK(quantize_rows)(int8_t *restrict q, float *restrict scales, int32_t *restrict sums,
                              const float *restrict x, size_t count) {
    for (size_t g = 0; g < count / CK_GROUP; g++, x += CK_GROUP, q += CK_GROUP) {
        float top = 0;
        for (size_t i = 0; i < CK_GROUP; i++) {
            const float a = CK(magnitude)(x[i]);
            top = a > top ? a : top;
        }
        const float inverse = top > 0x1p-120f ? 127 / top : 0;
        int32_t sum = 0;
        for (size_t i = 0; i < CK_GROUP; i++) {
            const int32_t value = (int32_t)CK(round)(x[i] * inverse);
            q[i] = (int8_t)value;
            sum += value;
        }
        scales[g] = top / 127;
        sums[g] = sum;
    }
}

/// The nearest bfloat16 that is not smaller than |x|, with the sign of x.
static inline uint16_t CK(outward_bf16)(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return (uint16_t)((bits >> 16) + ((bits & 0xffffu) != 0));
}

static inline float CK(widened)(uint16_t x) { return CK(bits_f32)((uint32_t)x << 16); }

static inline int CK(quantum)(float x, float inverse, int least, int most) {
    const float scaled = x * inverse;
    const int value = (int)CK(round)(scaled < least ? least : scaled > most ? most : scaled);
    return value;
}

/// The scale of four bits (-8 to 7) for a group: of a few candidates the one with the smallest squared error. Its sign
/// is that which gives the largest value the side with one number more.
static uint16_t CK(scale_q4)(const float *w) {
    float top = 0;
    for (size_t i = 0; i < CK_GROUP; i++)
        if (CK(magnitude)(w[i]) > CK(magnitude)(top)) top = w[i];
    if (!(CK(magnitude)(top) > 0x1p-120f)) return 0;
    uint16_t best = 0;
    float least = __builtin_inff();
    for (int step = 0; step <= 12; step++) {
        const uint16_t bits = CK(outward_bf16)(top / -(7.0f + 0.2f * (float)step));
        const float scale = CK(widened)(bits), inverse = 1 / scale;
        float error = 0;
        for (size_t i = 0; i < CK_GROUP; i++) {
            const float scaled = w[i] * inverse, bounded = scaled < -8 ? -8 : scaled > 7 ? 7 : scaled;
            const float rest = (w[i] - CK(round)(bounded) * scale) * inverse;
            error += rest * rest;
        }
        error *= scale / top * (scale / top);
        if (error < least) {
            least = error;
            best = bits;
        }
    }
    return best;
}

static void CK(pack_q8)(uint8_t *restrict panel, uint16_t *restrict scales, const float *restrict w, size_t width,
                        size_t k) {
    for (size_t g = 0; g < k / CK_GROUP; g++, panel += CK_Q8_BYTES, scales += CK_LANES)
        for (size_t o = 0; o < CK_LANES; o++) {
            const float *group = w + o * k + g * CK_GROUP;
            float top = 0;
            for (size_t i = 0; o < width && i < CK_GROUP; i++) {
                const float a = CK(magnitude)(group[i]);
                top = a > top ? a : top;
            }
            scales[o] = top > 0x1p-120f ? CK(outward_bf16)(top / 127) : 0;
            const float inverse = scales[o] ? 1 / CK(widened)(scales[o]) : 0;
            for (size_t i = 0; i < CK_GROUP; i++)
                panel[i / 4 * 64 + o * 4 + i % 4] =
                    (uint8_t)(128 + (scales[o] ? CK(quantum)(group[i], inverse, -127, 127) : 0));
        }
}

static void CK(pack_q4)(uint8_t *restrict panel, uint16_t *restrict scales, const float *restrict w, size_t width,
                        size_t k) {
    for (size_t g = 0; g < k / CK_GROUP; g++, panel += CK_Q4_BYTES, scales += CK_LANES)
        for (size_t o = 0; o < CK_LANES; o++) {
            const float *group = w + o * k + g * CK_GROUP;
            scales[o] = o < width ? CK(scale_q4)(group) : 0;
            const float inverse = scales[o] ? 1 / CK(widened)(scales[o]) : 0;
            for (size_t i = 0; i < CK_GROUP; i += 8)
                for (size_t j = 0; j < 4; j++) {
                    const int low = scales[o] ? CK(quantum)(group[i + j], inverse, -8, 7) : 0;
                    const int high = scales[o] ? CK(quantum)(group[i + 4 + j], inverse, -8, 7) : 0;
                    panel[i / 8 * 64 + o * 4 + j] = (uint8_t)((low + 8) | (high + 8) << 4);
                }
        }
}
