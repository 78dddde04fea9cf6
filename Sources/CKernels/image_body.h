// Loops of picture networks, included by kernels_body.h. Pictures are kept with their channels last: a pixel is a row.

/// erf(x) for |x| < 4, beyond which it is 1 in fp32: a rational approximation in x^2 (the one that Eigen and XLA use),
/// within 4e-7.
static inline float CK(erf)(float x) {
    x = x < -4.0f ? -4.0f : x > 4.0f ? 4.0f : x;
    const float z = x * x;
    float p = -2.72614225801306e-10f;
    p = p * z + 2.77068142495902e-08f;
    p = p * z + -2.10102402082508e-06f;
    p = p * z + -5.69250639462346e-05f;
    p = p * z + -7.34990630326855e-04f;
    p = p * z + -2.95459980854025e-03f;
    p = p * z + -1.60960333262415e-02f;
    float q = -1.45660718464996e-05f;
    q = q * z + -2.13374055278905e-04f;
    q = q * z + -1.68282697438203e-03f;
    q = q * z + -7.37332916720468e-03f;
    q = q * z + -1.42647390514189e-02f;
    return x * p / q;
}

static inline float CK(gelu)(float x) { return 0.5f * x * (1.0f + CK(erf)(x * 0.70710678118654752f)); }

static void CK(gelu_f32)(float *y, const float *x, size_t n) {
    CK_IN_PLACE for (size_t i = 0; i < n; i++) y[i] = CK(gelu)(x[i]);
}

static void CK(geglu_f32)(float *restrict y, const float *restrict x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += 2 * n, y += n)
        for (size_t i = 0; i < n; i++) y[i] = x[i] * CK(gelu)(x[n + i]);
}

static void CK(channel_moments_f32)(float *restrict mean, float *restrict squares, const float *restrict x, size_t rows,
                                    size_t n) {
    memset(mean, 0, n * sizeof(float));
    memset(squares, 0, n * sizeof(float));
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++) mean[i] += x[r * n + i];
    const float share = 1.0f / (float)rows;
    for (size_t i = 0; i < n; i++) mean[i] *= share;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++) {
            const float d = x[r * n + i] - mean[i];
            squares[i] += d * d;
        }
}

static void CK(channel_affine_f32)(float *restrict y, const float *restrict x, const float *restrict factor,
                                   const float *restrict offset, size_t rows, size_t n, bool silu) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        if (silu)
            for (size_t i = 0; i < n; i++) {
                const float v = x[i] * factor[i] + offset[i];
                y[i] = v * CK(sigmoid)(v);
            }
        else
            for (size_t i = 0; i < n; i++) y[i] = x[i] * factor[i] + offset[i];
    }
}
