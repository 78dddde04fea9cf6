// Filters over rows by minimal filtering in one dimension (Winograd, "Arithmetic complexity of computations", 1980), included
// by kernels_body.h: what stands before and between the products of F(2, 3) and F(3, 2), which share their points 0, 1, -1
// and infinity.

static void CK(filter_input_f32)(float *restrict v, const float *restrict x, size_t step, size_t tiles, size_t n) {
    const size_t plane = tiles * n;
    for (size_t t = 0; t < tiles; t++, x += step, v += n)
        for (size_t i = 0; i < n; i++) {
            const float x0 = x[i], x1 = x[n + i], x2 = x[2 * n + i], x3 = x[3 * n + i];
            v[i] = x0 - x2;
            v[plane + i] = x1 + x2;
            v[2 * plane + i] = x2 - x1;
            v[3 * plane + i] = x3 - x1;
        }
}

static void CK(filter_output_f32)(float *restrict y, const float *restrict a, size_t tiles, size_t rows, size_t n) {
    for (size_t t = 0; t < tiles; t++, y += rows * n, a += n) {
        for (size_t i = 0; i < n; i++) {
            const float both = a[i] + y[n + i];
            y[n + i] = a[i] - y[n + i];
            y[i] = both;
        }
        if (rows == 3) memcpy(y + 2 * n, y, n * sizeof(float));
    }
}
