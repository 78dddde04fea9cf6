// gemm_packed_f32, included by kernels_body.h: register tiles of a few rows by one panel (or one row by a few panels).
//
// Each element of c is one chain of multiply-adds in the order of i, in every tile shape, so its bits do not depend on
// how the rows are cut. CK_ROWS is chosen by the including file to fit the registers. Long sums are taken in slabs of
// inputs, whose part of a panel stays in the first cache while a block of rows passes by; between slabs the sums wait in
// c, which changes no bit.

#ifndef CK_ROWS
#define CK_ROWS 2
#endif
#define CK_HALF 16
/// Inputs of a slab, and rows of a block: 24 KiB of a panel, and rows that fit the second cache beside it.
#define CK_SLAB 192
#define CK_BLOCK 96
typedef float CK(half) __attribute__((vector_size(CK_HALF * sizeof(float)), aligned(4)));

#define CK_LOAD(p) (*(const CK(half) *)(p))
#define CK_STORE(p, v) (*(CK(half) *)(p) = (v))

/// What the sums start with: c itself, or the bias, in a whole panel's width.
static inline void CK(tile_start)(float start[CK_PANEL], const float *c, const float *bias, size_t width, bool adding) {
    for (size_t j = 0; j < CK_PANEL; j++) start[j] = j < width ? (adding ? c[j] : bias ? bias[j] : 0) : 0;
}

#define CK_GEMM_ROWS(name, count)                                                                                       \
    static void CK(name)(float *c, size_t ldc, const float *a, size_t lda, const float *panel, const float *bias,       \
                         size_t width, size_t k, bool adding) {                                                         \
        _Pragma("clang fp contract(fast)") CK(half) sum[count][2];                                                      \
        for (size_t r = 0; r < count; r++) {                                                                            \
            float start[CK_PANEL];                                                                                      \
            const float *from = c + r * ldc;                                                                            \
            if (!adding || width < CK_PANEL) {                                                                          \
                CK(tile_start)(start, from, bias, width, adding);                                                       \
                from = start;                                                                                           \
            }                                                                                                           \
            sum[r][0] = CK_LOAD(from);                                                                                  \
            sum[r][1] = CK_LOAD(from + CK_HALF);                                                                        \
        }                                                                                                               \
        for (size_t i = 0; i < k; i++) {                                                                                \
            const CK(half) left = CK_LOAD(panel + i * CK_PANEL), right = CK_LOAD(panel + i * CK_PANEL + CK_HALF);       \
            _Pragma("clang loop unroll(full)") for (size_t r = 0; r < count; r++) {                                     \
                const float x = a[r * lda + i];                                                                         \
                sum[r][0] += left * x;                                                                                  \
                sum[r][1] += right * x;                                                                                 \
            }                                                                                                           \
        }                                                                                                               \
        for (size_t r = 0; r < count; r++) {                                                                            \
            if (width == CK_PANEL) {                                                                                    \
                CK_STORE(c + r * ldc, sum[r][0]);                                                                       \
                CK_STORE(c + r * ldc + CK_HALF, sum[r][1]);                                                             \
            } else {                                                                                                    \
                float end[CK_PANEL];                                                                                    \
                CK_STORE(end, sum[r][0]);                                                                               \
                CK_STORE(end + CK_HALF, sum[r][1]);                                                                     \
                memcpy(c + r * ldc, end, width * sizeof(float));                                                        \
            }                                                                                                           \
        }                                                                                                               \
    }

CK_GEMM_ROWS(gemm_single, 1)
CK_GEMM_ROWS(gemm_pair, 2)
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

/// A block of rows by one panel, over a slab of k inputs.
static void CK(gemm_block)(float *c, size_t ldc, const float *a, size_t lda, const float *panel, const float *bias,
                           size_t m, size_t width, size_t k, bool adding) {
    size_t r = 0;
    for (; r + CK_ROWS <= m; r += CK_ROWS)
        CK(gemm_tall)(c + r * ldc, ldc, a + r * lda, lda, panel, bias, width, k, adding);
    for (; r + 2 <= m; r += 2) CK(gemm_pair)(c + r * ldc, ldc, a + r * lda, lda, panel, bias, width, k, adding);
    if (r < m) CK(gemm_single)(c + r * ldc, ldc, a + r * lda, lda, panel, bias, width, k, adding);
}

static void CK(gemm_packed_f32)(float *c, size_t ldc, const float *a, size_t lda, const float *panels,
                                const float *bias, size_t m, size_t n, size_t k, bool adding) {
    size_t first = 0;
    if (m == 1)
        for (; first + CK_ROWS * CK_PANEL <= n; first += CK_ROWS * CK_PANEL)
            CK(gemm_panels)(c + first, a, panels + first * k, bias ? bias + first : NULL, k, adding);
    for (size_t start = 0, end; start < k; start = end) {
        // What is left after the last whole slab is taken with it.
        end = k - start < 2 * CK_SLAB ? k : start + CK_SLAB;
        for (size_t r = 0; r < m; r += CK_BLOCK)
            for (size_t j = first; j < n; j += CK_PANEL)
                CK(gemm_block)(c + r * ldc + j, ldc, a + r * lda + start, lda, panels + j * k + start * CK_PANEL,
                               bias ? bias + j : NULL, m - r < CK_BLOCK ? m - r : CK_BLOCK,
                               n - j < CK_PANEL ? n - j : CK_PANEL, end - start, adding || start > 0);
    }
}

/// Panels that gemv_packed_f32 takes at once.
#ifdef CK_REGISTERS_32
#define CK_GEMV_PANELS 4
#else
#define CK_GEMV_PANELS 2
#endif

#define CK_GEMV_TILE(name, count)                                                                    \
    static void CK(name)(float *c, const float *a, const float *panels, size_t k) {                  \
        _Pragma("clang fp contract(fast)") CK(half) sum[count][2];                                   \
        for (size_t p = 0; p < count; p++) {                                                         \
            sum[p][0] = CK_LOAD(c + p * CK_PANEL);                                                   \
            sum[p][1] = CK_LOAD(c + p * CK_PANEL + CK_HALF);                                         \
        }                                                                                            \
        const size_t middle = k / 2, end = 2 * middle;                                               \
        for (size_t i = 0; i < middle; i++)                                                          \
            _Pragma("clang loop unroll(full)") for (size_t place = 0; place < 2; place++) {          \
                const size_t at = place * middle + i;                                                \
                const float x = a[at];                                                               \
                _Pragma("clang loop unroll(full)") for (size_t p = 0; p < count; p++) {              \
                    const float *row = panels + (p * k + at) * CK_PANEL;                             \
                    sum[p][0] += CK_LOAD(row) * x;                                                   \
                    sum[p][1] += CK_LOAD(row + CK_HALF) * x;                                         \
                }                                                                                    \
            }                                                                                        \
        for (size_t p = 0; p < count; p++) {                                                         \
            if (end < k) {                                                                           \
                sum[p][0] += CK_LOAD(panels + (p * k + end) * CK_PANEL) * a[end];                    \
                sum[p][1] += CK_LOAD(panels + (p * k + end) * CK_PANEL + CK_HALF) * a[end];          \
            }                                                                                        \
            CK_STORE(c + p * CK_PANEL, sum[p][0]);                                                   \
            CK_STORE(c + p * CK_PANEL + CK_HALF, sum[p][1]);                                         \
        }                                                                                            \
    }

CK_GEMV_TILE(gemv_one, 1)
CK_GEMV_TILE(gemv_some, CK_GEMV_PANELS)

static void CK(gemv_packed_f32)(float *c, const float *a, const float *panels, size_t n, size_t k) {
    size_t j = 0;
    for (; j + CK_GEMV_PANELS * CK_PANEL <= n; j += CK_GEMV_PANELS * CK_PANEL) CK(gemv_some)(c + j, a, panels + j * k, k);
    for (; j + CK_PANEL <= n; j += CK_PANEL) CK(gemv_one)(c + j, a, panels + j * k, k);
    if (j < n) {
        float end[CK_PANEL] = {0};
        memcpy(end, c + j, (n - j) * sizeof(float));
        CK(gemv_one)(end, a, panels + j * k, k);
        memcpy(c + j, end, (n - j) * sizeof(float));
    }
}
