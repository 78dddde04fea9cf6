import Tensors

/// Rows of queries, keys or values, `stride` values apart.
struct HeadRows {
    let first: UnsafePointer<Float>
    let stride: Int
    let count: Int
}

/// Attention in several heads, softmax(q · kᵀ / √headSize) · v: each piece answers some queries of one head, so that the
/// scores of one piece on each thread are all that exist at a time.
struct HeadAttention {
    let heads: Int
    let headSize: Int
    /// Whether a query sees no later key. The reference adds -10000 to the scores of what is hidden.
    var isCausal = false

    /// Queries of a piece.
    private static let tile = 64

    func add(
        to pieces: Pieces, _ q: HeadRows, _ k: HeadRows, _ v: HeadRows, into y: UnsafeMutablePointer<Float>
    ) {
        let tiles = (q.count + Self.tile - 1) / Self.tile
        pieces.add(heads * tiles, work: 2 * min(Self.tile, q.count) * k.count * headSize) { piece in
            let (head, first) = (piece / tiles, piece % tiles * Self.tile)
            attend(head: head, first: first, rows: min(Self.tile, q.count - first), q, k, v, into: y)
        }
    }

    private func attend(
        head: Int, first: Int, rows: Int, _ q: HeadRows, _ k: HeadRows, _ v: HeadRows,
        into y: UnsafeMutablePointer<Float>
    ) {
        let (keys, offset, size) = (k.count, head * headSize, heads * headSize)
        withUnsafeTemporaryAllocation(byteCount: rows * keys * 4, alignment: 64) { memory in
            guard let scores = memory.bindMemory(to: Float.self).baseAddress else { return }
            MatrixProduct.multiplyTransposed(
                q.first + first * q.stride + offset, lda: q.stride, k.first + offset, ldb: k.stride, into: scores,
                ldc: keys, m: rows, n: keys, k: headSize, sharing: false)
            kernels.scale_f32(scores, 1 / Float(headSize).squareRoot(), rows * keys)
            if isCausal {
                for row in 0..<rows {
                    for key in min(first + row + 1, keys)..<keys { scores[row * keys + key] -= 10_000 }
                }
            }
            kernels.softmax_f32(scores, rows, keys)
            MatrixProduct.multiply(
                scores, lda: keys, v.first + offset, ldb: v.stride, into: y + first * size + offset, ldc: size,
                m: rows, n: headSize, k: keys, sharing: false)
        }
    }
}
