// Attention over one page of keys and values, included by kernels_body.h: two small products and the softmax between
// them, whose bits do not depend on how many queries are answered at once.

/// c[r, j] of `count` rows by `vectors` * CK_HALF columns.
#define CK_MATMUL_TILE(name, count, vectors)                                                                         \
    static void CK(name)(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb, size_t k,     \
                         bool adding) {                                                                              \
        _Pragma("clang fp contract(fast)") CK(half) sum[count][vectors] = {0};                                       \
        if (adding)                                                                                                  \
            for (size_t r = 0; r < count; r++)                                                                       \
                for (size_t v = 0; v < vectors; v++) sum[r][v] = CK_LOAD(c + r * ldc + v * CK_HALF);                 \
        for (size_t i = 0; i < k; i++) {                                                                             \
            CK(half) right[vectors];                                                                                 \
            _Pragma("clang loop unroll(full)") for (size_t v = 0; v < vectors; v++)                                  \
                right[v] = CK_LOAD(b + i * ldb + v * CK_HALF);                                                       \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < count; r++) {                                  \
                const float x = a[r * lda + i];                                                                      \
                _Pragma("clang loop unroll(full)") for (size_t v = 0; v < vectors; v++) sum[r][v] += right[v] * x;   \
            }                                                                                                        \
        }                                                                                                            \
        for (size_t r = 0; r < count; r++)                                                                           \
            for (size_t v = 0; v < vectors; v++) CK_STORE(c + r * ldc + v * CK_HALF, sum[r][v]);                     \
    }

CK_MATMUL_TILE(matmul_tall_2, CK_ROWS, 2)
CK_MATMUL_TILE(matmul_tall_1, CK_ROWS, 1)
CK_MATMUL_TILE(matmul_row_4, 1, 4)
CK_MATMUL_TILE(matmul_row_1, 1, 1)

static void CK(matmul_f32)(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t ldb, size_t m,
                           size_t n, size_t k, bool adding) {
    const size_t tall = m - m % CK_ROWS, whole = n - n % CK_HALF;
    for (size_t r = 0; r < tall; r += CK_ROWS) {
        size_t j = 0;
        for (; j + 2 * CK_HALF <= whole; j += 2 * CK_HALF)
            CK(matmul_tall_2)(c + r * ldc + j, ldc, a + r * lda, lda, b + j, ldb, k, adding);
        if (j < whole) CK(matmul_tall_1)(c + r * ldc + j, ldc, a + r * lda, lda, b + j, ldb, k, adding);
    }
    for (size_t r = tall; r < m; r++) {
        size_t j = 0;
        for (; j + 4 * CK_HALF <= whole; j += 4 * CK_HALF)
            CK(matmul_row_4)(c + r * ldc + j, ldc, a + r * lda, lda, b + j, ldb, k, adding);
        for (; j < whole; j += CK_HALF)
            CK(matmul_row_1)(c + r * ldc + j, ldc, a + r * lda, lda, b + j, ldb, k, adding);
    }
    for (size_t r = 0; r < m; r++)
        for (size_t j = whole; j < n; j++) {
            _Pragma("clang fp contract(fast)") float sum = adding ? c[r * ldc + j] : 0;
            for (size_t i = 0; i < k; i++) sum += b[i * ldb + j] * a[r * lda + i];
            c[r * ldc + j] = sum;
        }
}

static void CK(online_softmax_f32)(float *x, size_t ldx, float *y, size_t ldy, float *top, float *sum, size_t rows,
                                   size_t n, size_t visible, size_t step, float scale, size_t width) {
    for (size_t r = 0; r < rows; r++, x += ldx, y += ldy) {
        const size_t seen = visible + r * step < n ? visible + r * step : n;
        float high = top[r];
        for (size_t i = 0; i < seen; i++) {
            x[i] *= scale;
            high = x[i] > high ? x[i] : high;
        }
        for (size_t i = seen; i < n; i++) x[i] = -INFINITY;
        CK(half) total = {0};
        for (size_t i = 0; i < n; i += CK_HALF) {
            for (size_t j = i; j < i + CK_HALF; j++) x[j] = x[j] == -INFINITY ? 0.0f : CK(exp)(x[j] - high);
            total += CK_LOAD(x + i);
        }
        float page[CK_HALF];
        CK_STORE(page, CK(sums_1)(&total));
        const float kept = top[r] == -INFINITY ? 0.0f : CK(exp)(top[r] - high);
        sum[r] = sum[r] * kept + page[0];
        top[r] = high;
        if (kept != 1.0f)
            for (size_t i = 0; i < width; i++) y[i] *= kept;
    }
}

static float CK(log_sum_exp_f32)(const float *x, size_t n) {
    CK_REASSOCIATE
    float top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
    for (size_t i = 0; i < n; i++) sum += CK(exp)(x[i] - top);
    return top + logf(sum);
}
