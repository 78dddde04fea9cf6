import Compute
import Tensors

/// The memory of forward passes over up to `capacity` frames, and the way they are spread over threads: allocated once
/// for a generation (or a whole stream), so that a pass allocates nothing.
///
/// Every buffer but the panels and the per-thread ones has a row for each frame. Threads take ranges of frames, and
/// write only to rows of their own.
final class Workspace {
    /// Frames of the present pass.
    private(set) var frames = 0
    /// Frames there is room for.
    let capacity: Int
    /// Pieces that a pass is cut into: one for each thread that computes.
    let shares: Int

    /// `[frames, dim]`: what flows through the blocks.
    let stream: FloatBuffer
    /// `[frames, dim]`: the input of a module after its norm.
    let normed: FloatBuffer
    /// `[frames, hiddenSize]`: the widest thing within a module.
    let hidden: FloatBuffer
    let hiddenSize: Int
    /// `[frames, attentionSize]`: queries, then what the heads have gathered.
    let queries: FloatBuffer
    let gathered: FloatBuffer
    /// For each head, keys `[headSize, frames]` and values `[frames, headSize]` in panels of `gemm_packed_f32`.
    let keyPanels: FloatBuffer
    let valuePanels: FloatBuffer
    /// `[frames + kernelSize - 1, convolutionSize]`: the depthwise convolution's input between its zeros.
    let gated: FloatBuffer
    /// For each share, attention scores of `queryTile` frames against all.
    let scores: FloatBuffer
    /// For each share, embeddings (before and after their norm) and logits of `outputTile` frames at one level.
    let embeddings: FloatBuffer
    let normedEmbeddings: FloatBuffer
    let logits: FloatBuffer

    /// Frames whose attention scores are made at once: they stay in the processor's cache.
    static let queryTile = 32
    /// Frames whose logits are made at once.
    static let outputTile = 32

    private let configuration: SoundStormConfiguration

    init(_ configuration: SoundStormConfiguration, frames capacity: Int) {
        let c = configuration
        self.configuration = c
        self.capacity = capacity
        shares = ComputePool.shared.threadCount
        hiddenSize = max(c.feedForwardSize, 2 * c.convolutionSize, 2 * c.attentionSize)
        stream = FloatBuffer(zeros: capacity * c.dim)
        normed = FloatBuffer(zeros: capacity * c.dim)
        hidden = FloatBuffer(zeros: capacity * hiddenSize)
        queries = FloatBuffer(zeros: capacity * c.attentionSize)
        gathered = FloatBuffer(zeros: capacity * c.attentionSize)
        keyPanels = FloatBuffer(zeros: c.heads * ck_packed_count(c.headSize, capacity))
        valuePanels = FloatBuffer(zeros: c.heads * ck_packed_count(capacity, c.headSize))
        gated = FloatBuffer(zeros: (capacity + c.kernelSize - 1) * c.convolutionSize)
        scores = FloatBuffer(zeros: shares * Self.queryTile * capacity)
        embeddings = FloatBuffer(zeros: shares * Self.outputTile * c.dim)
        normedEmbeddings = FloatBuffer(zeros: shares * Self.outputTile * c.dim)
        logits = FloatBuffer(zeros: shares * Self.outputTile * c.codes)
    }

    /// Makes ready for passes over this many frames.
    func prepare(frames: Int) {
        precondition(frames <= capacity, "\(frames) frames in a workspace for \(capacity)")
        self.frames = frames
        // The zeros in front of the convolution's input stay; those behind it move with the number of frames.
        let end = ConvolutionModule.framesBefore(configuration.kernelSize) + frames
        let behind = configuration.kernelSize - 1 - ConvolutionModule.framesBefore(configuration.kernelSize)
        let size = configuration.convolutionSize
        (gated.pointer + end * size).update(repeating: 0, count: behind * size)
    }

    /// Calls `body` with ranges that cover all frames, and which of the shares each one is.
    func forEachShare(_ body: (_ rows: Range<Int>, _ share: Int) -> Void) {
        ComputePool.shared.parallelFor(shares) { share in
            let rows = frames * share / shares..<frames * (share + 1) / shares
            if !rows.isEmpty { body(rows, share) }
        }
    }

    /// Calls `body` with 0..<count, spread over the shares.
    func forEach(_ count: Int, _ body: (_ index: Int, _ share: Int) -> Void) {
        ComputePool.shared.parallelFor(shares) { share in
            for index in stride(from: share, to: count, by: shares) { body(index, share) }
        }
    }

    /// The rows of one of the row-wise buffers, each `size` values wide, from this frame on.
    static func row(_ buffer: borrowing FloatBuffer, _ frame: Int, _ size: Int) -> UnsafeMutablePointer<Float> {
        buffer.pointer + frame * size
    }
}
