// What a core's registers allow of multiply-adds on AVX2, by the type of the numbers: what 16-bit and 8-bit whole numbers
// could bring to products that fp32 bounds. Run it with: make bench-kernels

#include <stdio.h>

#if defined(__x86_64__)
#include <immintrin.h>
#include <time.h>

#define AVX2 __attribute__((target("avx2,fma")))

enum { STEPS = 256, ROWS = 6, REPEATS = 30000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Numbers in the first cache: a tile of six rows by two vectors, as the products are computed.
static float floats[STEPS * (ROWS + 16)] __attribute__((aligned(64)));
static int words[STEPS * (ROWS + 16)] __attribute__((aligned(64)));

AVX2 static float fp32(void) {
    const float *a = floats, *b = floats + STEPS * ROWS;
    __m256 sum[2 * ROWS];
    for (int i = 0; i < 2 * ROWS; i++) sum[i] = _mm256_setzero_ps();
    for (int k = 0; k < STEPS; k++) {
        const __m256 left = _mm256_load_ps(b + 16 * k), right = _mm256_load_ps(b + 16 * k + 8);
#pragma clang loop unroll(full)
        for (int i = 0; i < ROWS; i++) {
            const __m256 x = _mm256_broadcast_ss(a + ROWS * k + i);
            sum[2 * i] = _mm256_fmadd_ps(x, left, sum[2 * i]);
            sum[2 * i + 1] = _mm256_fmadd_ps(x, right, sum[2 * i + 1]);
        }
    }
    float all = 0;
    for (int i = 0; i < 2 * ROWS; i++) all += sum[i][0];
    return all;
}

#define WHOLE(name, product)                                                                                             \
    AVX2 static float name(void) {                                                                                       \
        const int *a = words, *b = words + STEPS * ROWS;                                                                 \
        const __m256i ones = _mm256_set1_epi16(1);                                                                       \
        (void)ones;                                                                                                      \
        __m256i sum[2 * ROWS];                                                                                           \
        for (int i = 0; i < 2 * ROWS; i++) sum[i] = _mm256_setzero_si256();                                              \
        for (int k = 0; k < STEPS; k++) {                                                                                \
            const __m256i left = _mm256_load_si256((const __m256i *)(b + 16 * k));                                       \
            const __m256i right = _mm256_load_si256((const __m256i *)(b + 16 * k + 8));                                  \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                          \
                const __m256i x = _mm256_set1_epi32(a[ROWS * k + i]);                                                    \
                sum[2 * i] = _mm256_add_epi32(sum[2 * i], product(x, left));                                             \
                sum[2 * i + 1] = _mm256_add_epi32(sum[2 * i + 1], product(x, right));                                    \
            }                                                                                                            \
        }                                                                                                                \
        int all = 0;                                                                                                     \
        for (int i = 0; i < 2 * ROWS; i++) all += _mm256_extract_epi32(sum[i], 0);                                       \
        return (float)all;                                                                                               \
    }

WHOLE(int16, _mm256_madd_epi16)
#define EIGHT(x, y) _mm256_madd_epi16(_mm256_maddubs_epi16(x, y), ones)
WHOLE(int8, EIGHT)

static void measure(const char *name, float (*run)(void), int each) {
    double best = 0;
    float sum = 0;
    for (int attempt = 0; attempt < 5; attempt++) {
        const double start = now();
        for (int i = 0; i < REPEATS; i++) {
            floats[i % STEPS] += 1e-9f;
            words[i % STEPS] += 1;
            sum += run();
        }
        const double rate = (double)REPEATS * STEPS * ROWS * 2 * each / (now() - start) / 1e9;
        if (rate > best) best = rate;
    }
    printf("%-6s %6.1f  10^9 multiply-adds a second%s\n", name, best, sum == 0.5f ? " " : "");
}

int main(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        puts("whole_numbers: this processor has no AVX2");
        return 0;
    }
    measure("fp32", fp32, 8);
    measure("int16", int16, 16);
    measure("int8", int8, 32);
    return 0;
}
#else
int main(void) {
    puts("whole_numbers: AVX2 is x86's");
    return 0;
}
#endif
