import Tensors

/// Attention of many queries to many keys without the matrix of all scores: keys and values are laid out in tiles that
/// fit a core's cache, and the softmax goes on from tile to tile (Milakov & Gimelshein, "Online normalizer calculation
/// for softmax", 2018). What is kept at a time is the scores of `queries` queries and one tile's keys.
struct AttentionTiles: Sendable {
    /// Numbers of a query, a key and a value.
    let headSize: Int
    /// Keys of a tile.
    let keys: Int

    /// Queries that are answered at once.
    static let queries = 64

    init(headSize: Int) {
        self.headSize = headSize
        keys = headSize <= 64 ? 512 : 128
    }

    private var keySlot: Int { ck_packed_count(headSize, keys) }
    private var valueSlot: Int { ck_packed_count(keys, headSize) }

    /// Tiles of so many keys.
    func tiles(_ count: Int) -> Int { (count + keys - 1) / keys }

    /// Floats that the keys and values of one head take when they are laid out.
    func packedCount(_ count: Int) -> Int { tiles(count) * (keySlot + valueSlot) }

    /// Floats of scratch memory.
    var scratchCount: Int { Self.queries * (keys + headSize + 2) }

    /// Lays out one tile: `k` and `v` are a head's numbers in the first of `count` rows, `stride` apart.
    func pack(
        tile: Int, of count: Int, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>, stride: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        let first = tile * keys
        let seen = min(keys, count - first)
        let target = packed + tile * (keySlot + valueSlot)
        ck_pack_f32(target, k + first * stride, 1, stride, headSize, seen)
        ck_pack_f32(target + keySlot, v + first * stride, stride, 1, seen, headSize)
    }

    /// y = softmax(q · kᵀ / √headSize) · v for at most `queries` rows; y may be q.
    func attend(
        _ q: UnsafePointer<Float>, rows: Int, stride: Int, _ packed: UnsafePointer<Float>, count: Int,
        into y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let scores = scratch
        let sums = scores + Self.queries * keys
        let top = sums + Self.queries * headSize
        let total = top + Self.queries
        sums.update(repeating: 0, count: rows * headSize)
        top.update(repeating: -.infinity, count: rows)
        total.update(repeating: 0, count: rows)
        let scale = 1 / Float(headSize).squareRoot()
        for tile in 0..<tiles(count) {
            let seen = min(keys, count - tile * keys)
            let tileKeys = packed + tile * (keySlot + valueSlot)
            kernels.gemm_packed_f32(scores, keys, q, stride, tileKeys, nil, rows, seen, headSize, false)
            kernels.online_softmax_f32(
                scores, keys, sums, headSize, top, total, rows, (seen + 15) / 16 * 16, seen, 0, scale, headSize)
            kernels.gemm_packed_f32(
                sums, headSize, scores, keys, tileKeys + keySlot, nil, rows, headSize, seen, true)
        }
        for row in 0..<rows {
            kernels.scale_f32(sums + row * headSize, 1 / total[row], headSize)
            (y + row * stride).update(from: sums + row * headSize, count: headSize)
        }
    }
}
