// What one token and a few rows cost by the type of the weights: `make bench-kernels` builds and runs it.
//
// Weights are larger than the caches, as a 7B model's are: one row is bound by memory, many rows by arithmetic.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ckernels.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static float noise(void) { return (float)rand() / (float)RAND_MAX - 0.5f; }

int main(void) {
    enum { n = 11008, k = 4096, most = 64, groups = k / CK_GROUP };
    const ck_table *t = ck_best();
    float *w = malloc(sizeof(float) * n * k), *x = malloc(sizeof(float) * most * k), *y = malloc(sizeof(float) * most * n);
    uint16_t *wb = malloc(2ul * n * k), *s8 = malloc(2ul * n * groups), *s4 = malloc(2ul * n * groups);
    uint8_t *w8 = malloc(1ul * n * k), *w4 = malloc(1ul * n * k / 2);
    int8_t *q = malloc(most * k);
    float *xs = malloc(sizeof(float) * most * groups);
    int32_t *sums = malloc(sizeof(int32_t) * most * groups);
    for (size_t i = 0; i < (size_t)n * k; i++) {
        w[i] = noise();
        uint32_t bits;
        __builtin_memcpy(&bits, &w[i], 4);
        wb[i] = bits >> 16;
    }
    for (size_t i = 0; i < most * k; i++) x[i] = noise();
    for (size_t j = 0; j < n; j += CK_LANES) {
        t->pack_q8(w8 + j * k, s8 + j * groups, w + j * k, CK_LANES, k);
        t->pack_q4(w4 + j * k / 2, s4 + j * groups, w + j * k, CK_LANES, k);
    }
    printf("%s, %d x %d, one thread, milliseconds\n%6s %9s %9s %9s %9s\n", t->name, n, k, "rows", "f32", "bf16", "q8", "q4");
    const int rows[] = {1, 4, 16, 64};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const int m = rows[r];
        double best[4] = {1e9, 1e9, 1e9, 1e9};
        for (int turn = 0; turn < 5; turn++)
            for (int kind = 0; kind < 4; kind++) {
                const double start = now();
                if (kind >= 2) t->quantize_rows(q, xs, sums, x, (size_t)m * k);
                if (kind == 0) t->linear_f32(y, n, x, k, w, NULL, m, n, k, false);
                if (kind == 1) t->linear_bf16(y, n, x, k, wb, NULL, m, n, k, false);
                if (kind == 2) t->linear_q8(y, n, q, xs, sums, w8, s8, NULL, m, n, k, false);
                if (kind == 3) t->linear_q4(y, n, q, xs, sums, w4, s4, NULL, m, n, k, false);
                const double time = (now() - start) * 1e3;
                if (time < best[kind]) best[kind] = time;
            }
        printf("%6d %9.2f %9.2f %9.2f %9.2f\n", m, best[0], best[1], best[2], best[3]);
    }
}
