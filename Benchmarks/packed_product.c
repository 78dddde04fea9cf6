// gemm_packed_f32 beside OpenBLAS (one thread each): speed, largest difference, and whether the bits depend on the cut.
// Run it with: make bench-kernels

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ckernels.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(size_t n) {
    float *p = malloc(n * sizeof *p);
    for (size_t i = 0; i < n; i++) p[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return p;
}

/// The best of five runs, in 10^9 operations a second.
#define MEASURE(result, operations, call)                             \
    do {                                                              \
        const size_t repeats = (size_t)(4e8 / (operations)) + 1;      \
        result = 0;                                                   \
        for (int run = 0; run < 5; run++) {                           \
            const double start = now();                               \
            for (size_t i = 0; i < repeats; i++) call;                \
            const double rate = (operations) * (double)repeats / (now() - start) / 1e9; \
            if (rate > result) result = rate;                         \
        }                                                             \
    } while (0)

int main(void) {
    openblas_set_num_threads(1);
    // Rows, outputs, inputs: a stream's pieces, whole sounds, narrow convolutions.
    static const size_t sizes[][3] = {{1, 512, 512}, {1, 1536, 384},  {4, 1024, 1024}, {8, 1536, 768},
                                      {50, 192, 192}, {300, 40, 96}, {1000, 24, 72},  {256, 512, 512}};
    const ck_table *tables[] = {ck_scalar(), ck_avx2(), ck_avx512()};
    printf("%-8s %16s  %8s  %8s  %6s  %10s  %s\n", "table", "m x n x k", "ours", "OpenBLAS", "ratio", "difference",
           "bits by cut");
    for (size_t t = 0; t < 3; t++) {
        const ck_table *table = tables[t];
        if (!table) continue;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
            float *a = numbers(m * k), *b = numbers(n * k), *c = numbers(m * n), *d = numbers(m * n);
            float *panels = malloc(ck_packed_count(k, n) * sizeof *panels);
            ck_pack_f32(panels, b, 1, k, k, n);
            const double operations = 2.0 * (double)(m * n * k);
            double ours, theirs;
            MEASURE(ours, operations, table->gemm_packed_f32(c, n, a, k, panels, NULL, m, n, k, false));
            MEASURE(theirs, operations,
                    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b,
                                (int)k, 0, d, (int)n));
            float worst = 0;
            for (size_t i = 0; i < m * n; i++) worst = fmaxf(worst, fabsf(c[i] - d[i]));
            size_t differing = 0;
            for (size_t cut = 1; cut <= m && cut < 20; cut++) {
                for (size_t r = 0; r < m; r += cut)
                    table->gemm_packed_f32(d + r * n, n, a + r * k, k, panels, NULL, cut < m - r ? cut : m - r, n, k,
                                           false);
                for (size_t i = 0; i < m * n; i++) differing += memcmp(c + i, d + i, sizeof *c) != 0;
            }
            char shape[32];
            snprintf(shape, sizeof shape, "%zu x %zu x %zu", m, n, k);
            printf("%-8s %16s  %8.1f  %8.1f  %5.2fx  %10.1e  %s\n", table->name, shape, ours, theirs, ours / theirs,
                   worst, differing ? "DIFFER" : "same");
            free(a), free(b), free(c), free(d), free(panels);
        }
    }
    return 0;
}
