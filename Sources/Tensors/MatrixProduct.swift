import COpenBLAS
import Compute

/// Single-precision matrix products: OpenBLAS with one thread per call; the parallelism is ours.
public enum MatrixProduct {
    /// OpenBLAS would start threads of its own inside each of ours: measured a third slower, and invisible to the
    /// priorities of `ComputePool`.
    private static let oneThread: Void = openblas_set_num_threads(1)

    /// Multiply-adds below which a product is not worth sharing between threads (about 100 µs).
    private static let worthSharing = 4 << 20

    /// c = a · bᵀ (+ c): a: m rows of k values, `lda` apart; b: n rows of k values, `ldb` apart, as PyTorch keeps the
    /// weights of a linear layer; c: m rows of n values, `ldc` apart.
    ///
    /// The bits of a row depend on how many rows there are (OpenBLAS chooses among kernels): what is streamed in pieces
    /// uses `PackedMatrix` instead.
    ///
    /// - Parameter sharing: false keeps the product on the calling thread, for callers that share out their work.
    public static func multiplyTransposed(
        _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int, into c: UnsafeMutablePointer<Float>,
        ldc: Int, m: Int, n: Int, k: Int, adding: Bool = false, sharing: Bool = true
    ) {
        product(a, lda, b, ldb, c, ldc, m, n, k, transposed: true, adding: adding, sharing: sharing)
    }

    /// c = a · b (+ c): as above with b: k rows of n values, `ldb` apart.
    public static func multiply(
        _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int, into c: UnsafeMutablePointer<Float>,
        ldc: Int, m: Int, n: Int, k: Int, adding: Bool = false, sharing: Bool = true
    ) {
        product(a, lda, b, ldb, c, ldc, m, n, k, transposed: false, adding: adding, sharing: sharing)
    }

    private static func product(
        _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int, _ c: UnsafeMutablePointer<Float>,
        _ ldc: Int, _ m: Int, _ n: Int, _ k: Int, transposed: Bool, adding: Bool, sharing: Bool
    ) {
        _ = oneThread
        guard m > 0, n > 0 else { return }
        precondition(k > 0 && ldc >= n && ldb >= (transposed ? k : n) && lda >= k)
        guard sharing else { return sgemm(a, lda, b, ldb, c, ldc, m, n, k, transposed, adding) }
        let work = m * n * k
        let pool = ComputePool.shared
        let shares = work < worthSharing ? 1 : min(pool.threadCount, max(m / 16, n / 64, 1))
        let byColumns = n >= m
        // Invariant: the shares write disjoint parts of c, and all have ended before the caller's pointers do.
        nonisolated(unsafe) let (a, b, c) = (a, b, c)
        pool.parallelFor(shares) { share in
            let total = byColumns ? n : m
            let start = total * share / shares
            let end = total * (share + 1) / shares
            guard end > start else { return }
            let (rows, columns) = byColumns ? (m, end - start) : (end - start, n)
            let aStart = byColumns ? a : a + start * lda
            let bStart = !byColumns ? b : b + start * (transposed ? ldb : 1)
            let cStart = byColumns ? c + start : c + start * ldc
            sgemm(aStart, lda, bStart, ldb, cStart, ldc, rows, columns, k, transposed, adding)
        }
    }

    private static func sgemm(
        _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int, _ c: UnsafeMutablePointer<Float>,
        _ ldc: Int, _ m: Int, _ n: Int, _ k: Int, _ transposed: Bool, _ adding: Bool
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), 1,
            a, blasint(lda), b, blasint(ldb), adding ? 1 : 0, c, blasint(ldc))
    }
}
