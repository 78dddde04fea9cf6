// The loops with 256-bit vectors and fused multiply-add.

#include "ckernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#define CK(name) ck_avx2_##name
#define CK_ROWS 2
#define CK_WIDENS_F16
#define CK_MADD
#include "../kernels_body.h"
#pragma clang attribute pop

static const ck_table table = CK_TABLE("avx2");

const ck_table *ck_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? &table
                                                                                                             : NULL;
}
#else
const ck_table *ck_avx2(void) { return NULL; }
#endif
