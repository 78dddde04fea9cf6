// Inner loops of the networks. Each function is named by its maths, with the shapes of its arguments beside it.
//
// One table of functions per instruction set; ck_best() chooses once, by what the processor has. Tests ask for every
// table that this processor can run and hold it to the scalar one. All arrays are row-major fp32 unless named otherwise,
// may be unaligned, and must not overlap unless a comment says "in place".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ck_table {
    /// "scalar", "avx2", "avx512" or "avx512vnni".
    const char *name;

    /// sum(a[i] * b[i]); a, b: [n]
    float (*dot_f32)(const float *a, const float *b, size_t n);
    /// y[r] = dot(w[r, :], x) + (bias ? bias[r] : 0); w: [rows, n], x: [n], y: [rows]
    void (*gemv_f32)(float *y, const float *w, const float *x, const float *bias, size_t rows, size_t n);
    /// y += a * x; x, y: [n]
    void (*axpy_f32)(float *y, float a, const float *x, size_t n);
    /// y += x; x, y: [n]
    void (*add_f32)(float *y, const float *x, size_t n);
    /// y[r, :] += bias; y: [rows, n], bias: [n]
    void (*add_bias_f32)(float *y, const float *bias, size_t rows, size_t n);
    /// y *= a; y: [n]
    void (*scale_f32)(float *y, float a, size_t n);

    /// c[r, j] = start + sum over i of a[r * lda + i] * b[i, j], with start = c[r, j] if adding, else bias[j] (or 0).
    /// b: [k, n] in panels of CK_PANEL columns, as ck_pack_f32 writes them; rows of a may overlap (lda < k).
    ///
    /// Every element is accumulated in the order of i, whatever m, n and its place are: a stream that is cut into
    /// pieces gives the same bits as the whole, which a BLAS does not promise (and OpenBLAS does not keep).
    void (*gemm_packed_f32)(float *c, size_t ldc, const float *a, size_t lda, const float *panels, const float *bias,
                            size_t m, size_t n, size_t k, bool adding);
    /// c += a * b for one row; a: [k], c: [n], b as above. For matrices that no cache holds: the inputs of both halves are
    /// taken in turns, so that the processor fetches twice as many streams of weights at once. Its bits are not those of
    /// gemm_packed_f32, but always the same.
    void (*gemv_packed_f32)(float *c, const float *a, const float *panels, size_t n, size_t k);
    /// v[0] = x0 - x2, v[1] = x1 + x2, v[2] = x2 - x1, v[3] = x3 - x1 of the four rows x0 ... x3 of each tile, which begins
    /// `step` floats behind the one before; x: rows of n values, v: four planes of [tiles, n]
    void (*filter_input_f32)(float *v, const float *x, size_t step, size_t tiles, size_t n);
    /// y[t, 0] = a[t] + y[t, 1], y[t, 1] = a[t] - y[t, 1], and y[t, 2] = y[t, 0] if there are three rows; y: [tiles, rows, n],
    /// a: [tiles, n]
    void (*filter_output_f32)(float *y, const float *a, size_t tiles, size_t rows, size_t n);

    /// y[r, j] = sum over i of x[r, i] * w[j, i], + bias[j] if there is one, added to y[r, j] if adding; x: m rows of k
    /// values, ldx apart; w: [n, k] as checkpoints keep a linear layer's weight; y: m rows of n values, ldy apart.
    ///
    /// The bits of a row do not depend on m, nor those of an output on n. 16-bit weights (w of any alignment) are
    /// widened exactly and multiplied in fp32.
    void (*linear_f32)(float *y, size_t ldy, const float *x, size_t ldx, const float *w, const float *bias, size_t m,
                       size_t n, size_t k, bool adding);
    /// The same for IEEE half precision weights.
    void (*linear_f16)(float *y, size_t ldy, const float *x, size_t ldx, const uint16_t *w, const float *bias, size_t m,
                       size_t n, size_t k, bool adding);
    /// The same for bfloat16 weights.
    void (*linear_bf16)(float *y, size_t ldy, const float *x, size_t ldx, const uint16_t *w, const float *bias,
                        size_t m, size_t n, size_t k, bool adding);

    /// x = q * scale for each CK_GROUP neighbours, |q| <= 127; sums: of the q of a group. x, q: [count], scales and
    /// sums: [count / CK_GROUP]; count: a multiple of CK_GROUP.
    void (*quantize_rows)(int8_t *q, float *scales, int32_t *sums, const float *x, size_t count);
    /// As linear_f32, of rows that quantize_rows made (x: [m, k], xs and sums: [m, k / CK_GROUP]) and weights of 8 bits
    /// that pack_q8 made (w: n / CK_LANES panels, rounded up, with their scales ws). The bits of a row do not depend on
    /// m, nor those of an output on n.
    void (*linear_q8)(float *y, size_t ldy, const int8_t *x, const float *xs, const int32_t *sums, const uint8_t *w,
                      const uint16_t *ws, const float *bias, size_t m, size_t n, size_t k, bool adding);
    /// The same for weights of 4 bits that pack_q4 made.
    void (*linear_q4)(float *y, size_t ldy, const int8_t *x, const float *xs, const int32_t *sums, const uint8_t *w,
                      const uint16_t *ws, const float *bias, size_t m, size_t n, size_t k, bool adding);
    /// One panel of weights of 8 bits: w: `width` rows (at most CK_LANES) of k values, k a multiple of CK_GROUP; panel:
    /// [k / 4, CK_LANES, 4] bytes, plus 128; scales: [k / CK_GROUP, CK_LANES] bfloat16, what no row fills is 0.
    void (*pack_q8)(uint8_t *panel, uint16_t *scales, const float *w, size_t width, size_t k);
    /// One panel of weights of 4 bits: panel: [k / 8, CK_LANES, 4] bytes, plus 8 each, of which the low halves are the
    /// inputs 8 i + 0..3 and the high halves 8 i + 4..7. The scales are those with the smallest squared error.
    void (*pack_q4)(uint8_t *panel, uint16_t *scales, const float *w, size_t width, size_t k);

    /// c[r, j] = sum over i of a[r, i] * b[i, j], added to c[r, j] if adding; a: m rows of k values, lda apart; b: k rows
    /// of n values, ldb apart; c: m rows, ldc apart. Accumulated in the order of i: the bits of a row do not depend on m.
    void (*matmul_f32)(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb, size_t m, size_t n,
                       size_t k, bool adding);
    /// One step of a softmax over keys that come page by page (Milakov & Gimelshein, "Online normalizer calculation for
    /// softmax", 2018). x: a page's scores, `rows` rows of n (a multiple of 16) values, ldx apart, of which row r sees
    /// the first visible + r * step (at least one): x becomes exp(scale * x - top), 0 where it sees nothing. top, sum:
    /// [rows] the largest score and the sum so far, -inf and 0 before the first page; y: rows of `width` values, ldy
    /// apart: the weighted sum of values so far, rescaled to the new top. The bits of a row do not depend on `rows`.
    void (*online_softmax_f32)(float *x, size_t ldx, float *y, size_t ldy, float *top, float *sum, size_t rows,
                               size_t n, size_t visible, size_t step, float scale, size_t width);
    /// log(sum(exp(x))); x: [n]
    float (*log_sum_exp_f32)(const float *x, size_t n);

    /// LLaMA's RMSNorm: y = x / sqrt(mean(x^2) + eps) * weight; x, y: [rows, n], weight: [n]; in place allowed
    void (*rms_norm_f32)(float *y, const float *x, const float *weight, size_t rows, size_t n, float eps);
    /// y = (x - mean) / sqrt(var + eps) * weight + bias, biased variance; x, y: [rows, n]; bias may be NULL; in place
    /// allowed
    void (*layer_norm_f32)(float *y, const float *x, const float *weight, const float *bias, size_t rows, size_t n,
                           float eps);
    /// y = (x - mean) / sqrt(max(var, eps)) * weight, biased variance; x, y: [rows, n]; in place allowed
    void (*clamped_norm_f32)(float *y, const float *x, const float *weight, size_t rows, size_t n, float eps);
    /// softmax over each row, in place; x: [rows, n]
    void (*softmax_f32)(float *x, size_t rows, size_t n);

    /// y = x * sigmoid(x); [n]; in place allowed
    void (*silu_f32)(float *y, const float *x, size_t n);
    /// gate = gate * sigmoid(gate) * up; [n]
    void (*swiglu_f32)(float *gate, const float *up, size_t n);
    /// y = x[:, :n] * sigmoid(x[:, n:]); x: [rows, 2n], y: [rows, n]
    void (*glu_f32)(float *y, const float *x, size_t rows, size_t n);
    /// y = x > 0 ? x : exp(x) - 1; [n]; in place allowed
    void (*elu_f32)(float *y, const float *x, size_t n);
    /// y = x + sin(alpha x)^2 / (alpha + 1e-9); x, y: [rows, n], alpha: [n]; in place allowed
    void (*snake_f32)(float *y, const float *x, const float *alpha, size_t rows, size_t n);
    /// y = x * (1 + erf(x / sqrt(2))) / 2, the exact GELU; [n]; in place allowed
    void (*gelu_f32)(float *y, const float *x, size_t n);
    /// y = x[:, :n] * gelu(x[:, n:]); x: [rows, 2n], y: [rows, n]
    void (*geglu_f32)(float *y, const float *x, size_t rows, size_t n);
    /// The mean of each channel and the sum of its squared distances from it; x: [rows, n], rows > 0; mean, squares: [n]
    void (*channel_moments_f32)(float *mean, float *squares, const float *x, size_t rows, size_t n);
    /// y = x * factor + offset, of which if silu v * sigmoid(v); x, y: [rows, n], factor, offset: [n]
    void (*channel_affine_f32)(float *y, const float *x, const float *factor, const float *offset, size_t rows,
                               size_t n, bool silu);
    /// v[p * stride + i] = (B^T x B)[p], p < 36: Winograd's transform of 6 x 6 pixels of n channels (a multiple of 16);
    /// x: rows of pixels, `pitch` floats apart
    void (*winograd_input_f32)(float *v, size_t stride, const float *x, size_t pitch, size_t n);
    /// y += A^T m A, of which the first rows x columns of 4 x 4 pixels; m[p * stride + i], p < 36, i < n (a multiple of
    /// 16); rows of y are `pitch` floats apart, pixels `step`
    void (*winograd_output_f32)(float *y, size_t pitch, size_t step, const float *m, size_t stride, size_t rows,
                                size_t columns, size_t n);
    /// One LSTM step. gates: [4n] in PyTorch's order input, forget, cell, output (pre-activation, destroyed);
    /// c: [n] updated; h: [n] written
    void (*lstm_gates_f32)(float *gates, float *c, float *h, size_t n);
    /// Rotates pairs (i, i + n/2) of each head: x: [heads, n] in place, cosine, sine: [n/2]
    void (*rope_f32)(float *x, const float *cosine, const float *sine, size_t heads, size_t n);
    /// Depthwise convolution along rows: y[t, c] = bias[c] + sum_k x[t + k, c] * w[k, c];
    /// x: [rows + taps - 1, n], w: [taps, n], y: [rows, n]
    void (*depthwise_f32)(float *y, const float *x, const float *w, const float *bias, size_t rows, size_t taps,
                          size_t n);

    /// y = x; x: [n] IEEE half precision
    void (*f16_to_f32)(float *y, const uint16_t *x, size_t n);
    /// y = x; x: [n] bfloat16
    void (*bf16_to_f32)(float *y, const uint16_t *x, size_t n);
} ck_table;

/// Inputs that share a scale in quantised rows and weights.
#define CK_GROUP 32
/// Outputs of a panel of quantised weights.
#define CK_LANES 16

/// Columns of a panel of gemm_packed_f32.
#define CK_PANEL 32
/// Floats that a packed [k, n] matrix takes: the last panel is filled up with zeros.
static inline size_t ck_packed_count(size_t k, size_t n) { return (n + CK_PANEL - 1) / CK_PANEL * CK_PANEL * k; }
/// Packs b[i * row_stride + j * column_stride], i < k, j < n, into panels.
void ck_pack_f32(float *panels, const float *b, size_t row_stride, size_t column_stride, size_t k, size_t n);

/// The table that every processor can run: the reference for the others.
const ck_table *ck_scalar(void);
/// NULL where the processor (or the architecture) lacks the instructions.
const ck_table *ck_avx2(void);
const ck_table *ck_avx512(void);
const ck_table *ck_avx512vnni(void);
/// The fastest table that this processor can run.
const ck_table *ck_best(void);
