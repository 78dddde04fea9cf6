// gemm_packed_f32, included by kernels_body.h: register tiles of a few rows by one panel (or one row by a few panels).
//
// Each element of c is one chain of multiply-adds in the order of i, in every tile shape, so its bits do not depend on
// how the rows are cut. CK_ROWS is chosen by the including file to fit the registers.

#ifndef CK_ROWS
#define CK_ROWS 2
#endif
#define CK_HALF 16
typedef float CK(half) __attribute__((vector_size(CK_HALF * sizeof(float)), aligned(4)));

#define CK_LOAD(p) (*(const CK(half) *)(p))
#define CK_STORE(p, v) (*(CK(half) *)(p) = (v))

/// What the sums start with: c itself, or the bias, in a whole panel's width.
static inline void CK(tile_start)(float start[CK_PANEL], const float *c, const float *bias, size_t width, bool adding) {
    for (size_t j = 0; j < CK_PANEL; j++) start[j] = j < width ? (adding ? c[j] : bias ? bias[j] : 0) : 0;
}

#define CK_GEMM_ROWS(name, count)                                                                                       \
    static void CK(name)(float *c, size_t ldc, const float *a, size_t lda, const float *panel,        \
                                      const float *bias, size_t width, size_t k, bool adding) {                    \
        _Pragma("clang fp contract(fast)") CK(half) sum[count][2];                                                 \
        for (size_t r = 0; r < count; r++) {                                                                       \
            float start[CK_PANEL];                                                                                 \
            CK(tile_start)(start, c + r * ldc, bias, width, adding);                                               \
            sum[r][0] = CK_LOAD(start);                                                                           \
            sum[r][1] = CK_LOAD(start + CK_HALF);                                                                 \
        }                                                                                                          \
        for (size_t i = 0; i < k; i++) {                                                                           \
            const CK(half) left = CK_LOAD(panel + i * CK_PANEL), right = CK_LOAD(panel + i * CK_PANEL + CK_HALF); \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < count; r++) {                                \
                const float x = a[r * lda + i];                                                                    \
                sum[r][0] += left * x;                                                                             \
                sum[r][1] += right * x;                                                                            \
            }                                                                                                      \
        }                                                                                                          \
        for (size_t r = 0; r < count; r++) {                                                                       \
            if (width == CK_PANEL) {                                                                               \
                CK_STORE(c + r * ldc, sum[r][0]);                                                                 \
                CK_STORE(c + r * ldc + CK_HALF, sum[r][1]);                                                       \
            } else {                                                                                               \
                float end[CK_PANEL];                                                                               \
                CK_STORE(end, sum[r][0]);                                                                         \
                CK_STORE(end + CK_HALF, sum[r][1]);                                                               \
                memcpy(c + r * ldc, end, width * sizeof(float));                                                   \
            }                                                                                                      \
        }                                                                                                          \
    }

CK_GEMM_ROWS(gemm_single, 1)
CK_GEMM_ROWS(gemm_tall, CK_ROWS)

/// One row by CK_ROWS whole panels: what a single frame needs to keep the multipliers busy.
static void CK(gemm_panels)(float *c, const float *a, const float *panels, const float *bias, size_t k, bool adding) {
    _Pragma("clang fp contract(fast)") CK(half) sum[CK_ROWS][2];
    for (size_t p = 0; p < CK_ROWS; p++) {
        float start[CK_PANEL];
        CK(tile_start)(start, c + p * CK_PANEL, bias ? bias + p * CK_PANEL : NULL, CK_PANEL, adding);
        sum[p][0] = CK_LOAD(start);
        sum[p][1] = CK_LOAD(start + CK_HALF);
    }
    for (size_t i = 0; i < k; i++) {
        const float x = a[i];
        _Pragma("clang loop unroll(full)") for (size_t p = 0; p < CK_ROWS; p++) {
            const float *row = panels + (p * k + i) * CK_PANEL;
            sum[p][0] += CK_LOAD(row) * x;
            sum[p][1] += CK_LOAD(row + CK_HALF) * x;
        }
    }
    for (size_t p = 0; p < CK_ROWS; p++) {
        CK_STORE(c + p * CK_PANEL, sum[p][0]);
        CK_STORE(c + p * CK_PANEL + CK_HALF, sum[p][1]);
    }
}

static void CK(gemm_packed_f32)(float *c, size_t ldc, const float *a, size_t lda, const float *panels,
                                const float *bias, size_t m, size_t n, size_t k, bool adding) {
    const size_t tall = m - m % CK_ROWS;
    size_t j = 0;
    if (tall == 0)
        for (; j + CK_ROWS * CK_PANEL <= n; j += CK_ROWS * CK_PANEL)
            for (size_t r = 0; r < m; r++)
                CK(gemm_panels)(c + r * ldc + j, a + r * lda, panels + j * k, bias ? bias + j : NULL, k, adding);
    for (; j < n; j += CK_PANEL) {
        const size_t width = n - j < CK_PANEL ? n - j : CK_PANEL;
        const float *panel = panels + j * k, *b = bias ? bias + j : NULL;
        size_t r = 0;
        for (; r < tall; r += CK_ROWS) CK(gemm_tall)(c + r * ldc + j, ldc, a + r * lda, lda, panel, b, width, k, adding);
        for (; r < m; r++) CK(gemm_single)(c + r * ldc + j, ldc, a + r * lda, lda, panel, b, width, k, adding);
    }
}
