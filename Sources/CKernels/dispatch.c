// Chooses the fastest table that the processor can run; packs matrices, which is the same for all of them.

#include "ckernels.h"

const ck_table *ck_best(void) {
    const ck_table *table = ck_avx512vnni();
    if (!table) table = ck_avx512();
    if (!table) table = ck_avx2();
    return table ? table : ck_scalar();
}

void ck_pack_f32(float *panels, const float *b, size_t row_stride, size_t column_stride, size_t k, size_t n) {
    for (size_t start = 0; start < n; start += CK_PANEL)
        for (size_t i = 0; i < k; i++)
            for (size_t j = start; j < start + CK_PANEL; j++)
                *panels++ = j < n ? b[i * row_stride + j * column_stride] : 0;
}
