// The loops for any processor: whatever the compiler's baseline is (SSE2 on x86-64, NEON on arm64).

#define CK(name) ck_scalar_##name
#include "../kernels_body.h"

static const ck_table table = CK_TABLE("scalar");

const ck_table *ck_scalar(void) { return &table; }
