// The loops themselves, included once per instruction set: the including file has set the target and CK(name).
// They are written so that clang vectorises them; reductions allow reassociation, which Swift can't express.
// exp, expm1, sin^2 are polynomials of about 1 ulp instead of calls into libm, which would keep the loops scalar.

#include <math.h>
#include <string.h>

#include "ckernels.h"

#define CK_REASSOCIATE _Pragma("clang fp reassociate(on) contract(fast)")
/// Before a loop whose output may be its input: element by element, so vectors do no harm. Without it clang checks for
/// overlap, finds it, and takes the scalar loop: 8 times slower in place than out of place.
#define CK_IN_PLACE _Pragma("clang loop vectorize(assume_safety)")

static inline float CK(bits_f32)(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/// The nearest whole number, for |x| < 2^22: adding 1.5 * 2^23 leaves no bits for a fraction. Unlike floorf it needs no
/// instruction that only newer processors have.
static inline float CK(round)(float x) { return (x + 12582912.0f) - 12582912.0f; }

/// exp(x) by 2^k * p(r), |r| <= ln(2)/2 (Cephes' coefficients); clamped to the finite range.
static inline float CK(exp)(float x) {
    x = x < -87.33654f ? -87.33654f : x > 88.37626f ? 88.37626f : x;
    const float k = CK(round)(x * 1.44269504088896341f);
    const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return p * CK(bits_f32)((uint32_t)((int32_t)k + 127) << 23);
}

/// exp(x) - 1 for x <= 0, without cancellation near zero.
static inline float CK(expm1_negative)(float x) {
    float p = 1.0f / 40320;
    p = p * x + 1.0f / 5040;
    p = p * x + 1.0f / 720;
    p = p * x + 1.0f / 120;
    p = p * x + 1.0f / 24;
    p = p * x + 1.0f / 6;
    p = p * x + 0.5f;
    const float near = p * x * x + x;
    const float far = CK(exp)(x) - 1.0f;
    return x > -0.5f ? near : far;
}

static inline float CK(sigmoid)(float x) { return 1.0f / (1.0f + CK(exp)(-x)); }

static inline float CK(tanh)(float x) {
    const float a = x < 0 ? x : -x;
    const float t = CK(expm1_negative)(2.0f * a);
    const float y = -t / (t + 2.0f);
    return x < 0 ? -y : y;
}

/// sin(x)^2: the sign of the sine does not matter, so x is reduced modulo pi in three parts.
static inline float CK(sin_squared)(float x) {
    const float k = CK(round)(x * 0.318309886183790672f);
    float r = x - k * 3.140625f;
    r = r - k * 9.67502593994140625e-4f;
    r = r - k * 1.509957990978376432e-7f;
    const float r2 = r * r;
    float p = -2.3889859e-08f;
    p = p * r2 + 2.7525562e-06f;
    p = p * r2 - 1.9840874e-04f;
    p = p * r2 + 8.3333310e-03f;
    p = p * r2 - 1.6666667e-01f;
    const float s = p * r2 * r + r;
    return s * s;
}

static float CK(dot_f32)(const float *restrict a, const float *restrict b, size_t n) {
    CK_REASSOCIATE
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void CK(gemv_f32)(float *restrict y, const float *restrict w, const float *restrict x,
                         const float *restrict bias, size_t rows, size_t n) {
    CK_REASSOCIATE
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {  // four rows at a time hide the latency of the adds
        const float *w0 = w + r * n, *w1 = w0 + n, *w2 = w1 + n, *w3 = w2 + n;
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (size_t i = 0; i < n; i++) {
            s0 += w0[i] * x[i];
            s1 += w1[i] * x[i];
            s2 += w2[i] * x[i];
            s3 += w3[i] * x[i];
        }
        y[r] = s0 + (bias ? bias[r] : 0);
        y[r + 1] = s1 + (bias ? bias[r + 1] : 0);
        y[r + 2] = s2 + (bias ? bias[r + 2] : 0);
        y[r + 3] = s3 + (bias ? bias[r + 3] : 0);
    }
    for (; r < rows; r++) y[r] = CK(dot_f32)(w + r * n, x, n) + (bias ? bias[r] : 0);
}

static void CK(axpy_f32)(float *restrict y, float a, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void CK(add_f32)(float *restrict y, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

static void CK(add_bias_f32)(float *restrict y, const float *restrict bias, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++) CK(add_f32)(y + r * n, bias, n);
}

static void CK(scale_f32)(float *y, float a, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] *= a;
}

static void CK(rms_norm_f32)(float *y, const float *x, const float *weight, size_t rows, size_t n, float eps) {
    CK_REASSOCIATE
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        float sum = 0;
        for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
        const float s = 1.0f / sqrtf(sum / (float)n + eps);
        CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = x[i] * s * weight[i];
    }
}

static inline void CK(moments)(const float *x, size_t n, float *mean, float *variance) {
    CK_REASSOCIATE
    float sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    const float m = sum / (float)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - m) * (x[i] - m);
    *mean = m;
    *variance = squares / (float)n;
}

static void CK(layer_norm_f32)(float *y, const float *x, const float *weight, const float *bias, size_t rows, size_t n,
                               float eps) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        float mean, variance;
        CK(moments)(x, n, &mean, &variance);
        const float s = 1.0f / sqrtf(variance + eps);
        if (bias)
            CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * s * weight[i] + bias[i];
        else
            CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * s * weight[i];
    }
}

static void CK(clamped_norm_f32)(float *y, const float *x, const float *weight, size_t rows, size_t n, float eps) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        float mean, variance;
        CK(moments)(x, n, &mean, &variance);
        const float s = 1.0f / sqrtf(variance < eps ? eps : variance);
        CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * s * weight[i];
    }
}

static void CK(softmax_f32)(float *x, size_t rows, size_t n) {
    CK_REASSOCIATE
    for (size_t r = 0; r < rows; r++, x += n) {
        float top = -INFINITY, sum = 0;
        for (size_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
        for (size_t i = 0; i < n; i++) {
            // Masked positions hold -inf: exactly zero, where the clamped polynomial would leave 1e-38.
            const float e = x[i] == -INFINITY ? 0.0f : CK(exp)(x[i] - top);
            x[i] = e;
            sum += e;
        }
        const float s = 1.0f / sum;
        for (size_t i = 0; i < n; i++) x[i] *= s;
    }
}

static void CK(silu_f32)(float *y, const float *x, size_t n) {
    CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = x[i] * CK(sigmoid)(x[i]);
}

static void CK(swiglu_f32)(float *restrict gate, const float *restrict up, size_t n) {
    for (size_t i = 0; i < n; i++) gate[i] = gate[i] * CK(sigmoid)(gate[i]) * up[i];
}

static void CK(glu_f32)(float *restrict y, const float *restrict x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += 2 * n, y += n)
        for (size_t i = 0; i < n; i++) y[i] = x[i] * CK(sigmoid)(x[n + i]);
}

/// exp(x) - 1 for x <= 0 in one piece: 2^k * (exp(r) - 1) + (2^k - 1), where k is 0 as long as anything could cancel. What
/// is far out is -1 all the same. Few steps wait for one another: that, not their number, is what such a loop's time is.
static inline float CK(expm1)(float x) {
    x = x < -40.0f ? -40.0f : x;
    // k in the lowest bits, see CK(round).
    const float shifted = x * 1.44269504088896341f + 12582912.0f;
    const float k = shifted - 12582912.0f;
    const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
    const float r2 = r * r;
    const float low = 1.6666665459e-1f * r + 5.0000001201e-1f, middle = 8.3334519073e-3f * r + 4.1665795894e-2f;
    const float high = 1.9875691500e-4f * r + 1.3981999507e-3f;
    const float p = ((high * r2 + middle) * r2 + low) * r2 + r;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    const float s = CK(bits_f32)((bits << 23) + 0x3f800000u);
    return s * p + (s - 1.0f);
}

static void CK(elu_f32)(float *y, const float *x, size_t n) {
    CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : CK(expm1)(x[i]);
}

static void CK(snake_f32)(float *y, const float *x, const float *alpha, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, y += n)
        CK_IN_PLACE for (size_t i = 0; i < n; i++)
            y[i] = x[i] + CK(sin_squared)(alpha[i] * x[i]) / (alpha[i] + 1e-9f);
}

static void CK(lstm_gates_f32)(float *restrict gates, float *restrict c, float *restrict h, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float in = CK(sigmoid)(gates[i]), forget = CK(sigmoid)(gates[n + i]);
        const float cell = CK(tanh)(gates[2 * n + i]), out = CK(sigmoid)(gates[3 * n + i]);
        c[i] = forget * c[i] + in * cell;
        h[i] = out * CK(tanh)(c[i]);
    }
}

static void CK(rope_f32)(float *x, const float *restrict cosine, const float *restrict sine, size_t heads, size_t n) {
    const size_t half = n / 2;
    for (size_t head = 0; head < heads; head++, x += n)
        for (size_t i = 0; i < half; i++) {
            const float a = x[i], b = x[half + i];
            x[i] = a * cosine[i] - b * sine[i];
            x[half + i] = b * cosine[i] + a * sine[i];
        }
}

static void CK(depthwise_f32)(float *restrict y, const float *restrict x, const float *restrict w,
                              const float *restrict bias, size_t rows, size_t taps, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n, x += n) {
        memcpy(y, bias, n * sizeof(float));
        for (size_t k = 0; k < taps; k++)
            for (size_t i = 0; i < n; i++) y[i] += x[k * n + i] * w[k * n + i];
    }
}

static void CK(f16_to_f32)(float *restrict y, const uint16_t *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        // Exponent and mantissa are shifted into place and rescaled by 2^112, which also makes subnormals right;
        // infinities and NaNs get their exponent filled up.
        const uint32_t sign = (uint32_t)(x[i] & 0x8000u) << 16, magnitude = (uint32_t)(x[i] & 0x7fffu) << 13;
        const float scaled = CK(bits_f32)(magnitude) * 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &scaled, sizeof bits);
        bits |= magnitude >= 0x0f800000u ? 0x7f800000u : 0;
        y[i] = CK(bits_f32)(bits | sign);
    }
}

static void CK(bf16_to_f32)(float *restrict y, const uint16_t *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = CK(bits_f32)((uint32_t)x[i] << 16);
}

#include "gemm_body.h"
#include "filter_body.h"
#include "linear_body.h"
#include "quantized_body.h"
#include "attention_body.h"
#include "image_body.h"
#include "winograd_body.h"

#define CK_TABLE(set_name)                                                                                       \
    {                                                                                                            \
        .name = set_name, .dot_f32 = CK(dot_f32), .gemv_f32 = CK(gemv_f32), .axpy_f32 = CK(axpy_f32),            \
        .add_f32 = CK(add_f32), .add_bias_f32 = CK(add_bias_f32), .scale_f32 = CK(scale_f32),                    \
        .rms_norm_f32 = CK(rms_norm_f32), .layer_norm_f32 = CK(layer_norm_f32),                                  \
        .clamped_norm_f32 = CK(clamped_norm_f32), .softmax_f32 = CK(softmax_f32), .silu_f32 = CK(silu_f32),      \
        .swiglu_f32 = CK(swiglu_f32), .glu_f32 = CK(glu_f32), .elu_f32 = CK(elu_f32), .snake_f32 = CK(snake_f32), \
        .lstm_gates_f32 = CK(lstm_gates_f32), .rope_f32 = CK(rope_f32), .depthwise_f32 = CK(depthwise_f32),      \
        .gemm_packed_f32 = CK(gemm_packed_f32), .gemv_packed_f32 = CK(gemv_packed_f32),                          \
        .filter_input_f32 = CK(filter_input_f32), .filter_output_f32 = CK(filter_output_f32),                    \
        .linear_f32 = CK(linear_f32), .linear_f16 = CK(linear_f16),                                              \
        .linear_bf16 = CK(linear_bf16), .matmul_f32 = CK(matmul_f32),                                            \
        .quantize_rows = CK(quantize_rows), .linear_q8 = CK(linear_q8), .linear_q4 = CK(linear_q4),              \
        .pack_q8 = CK(pack_q8), .pack_q4 = CK(pack_q4),                                                          \
        .online_softmax_f32 = CK(online_softmax_f32), .log_sum_exp_f32 = CK(log_sum_exp_f32),                    \
        .gelu_f32 = CK(gelu_f32), .geglu_f32 = CK(geglu_f32), .channel_moments_f32 = CK(channel_moments_f32),    \
        .channel_affine_f32 = CK(channel_affine_f32), .winograd_input_f32 = CK(winograd_input_f32),              \
        .winograd_output_f32 = CK(winograd_output_f32),                                                          \
        .f16_to_f32 = CK(f16_to_f32), .bf16_to_f32 = CK(bf16_to_f32),                                            \
    }
