// The same with the instruction that adds four products of bytes (VNNI).

#include "ckernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512vnni"))), apply_to = function)
#define CK(name) ck_avx512vnni_##name
#define CK_ROWS 8
#define CK_WIDENS_F16
#define CK_VNNI
#define CK_REGISTERS_32
#include "../kernels_body.h"
#pragma clang attribute pop

static const ck_table table = CK_TABLE("avx512vnni");

const ck_table *ck_avx512vnni(void) {
    return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vnni") ? &table : NULL;
}
#else
const ck_table *ck_avx512vnni(void) { return NULL; }
#endif
