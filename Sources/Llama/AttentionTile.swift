import Tensors

/// The work of one thread on attention: a few queries of one head against all that they may see, page by page.
///
/// Softmax is computed online (Milakov & Gimelshein, 2018; "FlashAttention", Dao et al., 2022): the scores of one page
/// are all that exists at a time, so neither time nor memory is spent on pairs of positions that lie in the future.
/// Pages and tiles begin at fixed positions, and the kernels treat every row alike: a query's result is the same to the
/// last bit however the tokens were cut into calls.
struct AttentionTile {
    /// Queries of one head that are answered together; a divisor of a page, so that a tile never crosses into another.
    static let positions = 8

    /// [rows, positions of a page]
    private let scores: UnsafeMutablePointer<Float>
    private let top: UnsafeMutablePointer<Float>
    private let sum: UnsafeMutablePointer<Float>

    private static func rows(_ configuration: LlamaConfiguration) -> Int { max(positions, configuration.groupSize) }

    /// Floats of a tile's memory: whole cache lines, so that threads don't share one.
    static func count(_ configuration: LlamaConfiguration) -> Int {
        (rows(configuration) * (PageLayout.positions + 2) + 15) / 16 * 16
    }

    init(_ memory: UnsafeMutablePointer<Float>, _ configuration: LlamaConfiguration) {
        let rows = Self.rows(configuration)
        scores = memory
        top = scores + rows * PageLayout.positions
        sum = top + rows
    }

    /// y = softmax(q · Kᵀ / √n) · V for `rows` queries, `stride` floats apart, of which query r sees the first
    /// `visible + r · step` positions.
    func attend(
        _ q: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, stride: Int, rows: Int, visible: Int, step: Int,
        pages: UnsafeBufferPointer<UnsafeMutablePointer<Float>>, layout: PageLayout, layer: Int, head: Int
    ) {
        let (n, width) = (layout.headSize, PageLayout.positions)
        for r in 0..<rows { (y + r * stride).update(repeating: 0, count: n) }
        top.update(repeating: -.infinity, count: rows)
        sum.update(repeating: 0, count: rows)
        let end = visible + (rows - 1) * step
        let scale = 1 / Float(n).squareRoot()
        for index in 0..<layout.pages(for: end) {
            let first = index * width
            let seen = min(width, end - first)
            let columns = (seen + 15) / 16 * 16
            let keys = pages[index] + layout.keys(layer: layer, head: head)
            let values = pages[index] + layout.values(layer: layer, head: head)
            kernels.matmul_f32(scores, width, q, stride, keys, width, rows, columns, n, false)
            kernels.online_softmax_f32(
                scores, width, y, stride, top, sum, rows, columns, visible - first, step, scale, n)
            kernels.matmul_f32(y, stride, scores, width, values, n, rows, n, seen, true)
        }
        for r in 0..<rows { kernels.scale_f32(y + r * stride, 1 / sum[r], n) }
    }
}
