// The loops with AVX-512 instructions and registers.

#include "ckernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define CK(name) ck_avx512_##name
#define CK_ROWS 8
#define CK_WIDENS_F16
#define CK_MADD
#define CK_REGISTERS_32
#include "../kernels_body.h"
#pragma clang attribute pop

static const ck_table table = CK_TABLE("avx512");

const ck_table *ck_avx512(void) { return __builtin_cpu_supports("x86-64-v4") ? &table : NULL; }
#else
const ck_table *ck_avx512(void) { return NULL; }
#endif
