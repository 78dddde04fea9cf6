import Compute
import Foundation
import Tensors

/// The memory that a model works in, allocated once: a token allocates nothing. Whoever calls a model brings one of
/// its own, which no other thread may use meanwhile (so it is not Sendable); it holds no state between calls but the
/// last logits.
///
/// Memory: about 4 · block · (4 · hidden + 2 · intermediate + 2 · key-value) bytes, whatever the cache's length is.
public struct LlamaScratch: ~Copyable {
    /// Positions that are computed at once: longer pieces are cut by this. The results do not depend on it.
    public let block: Int
    let configuration: LlamaConfiguration
    /// The residual stream: [block, hidden].
    let x: FloatBuffer
    /// What a norm gives: [block, hidden].
    let normed: FloatBuffer
    /// [block, heads, head size], and the same for keys and values with their number of heads.
    let q: FloatBuffer
    let k: FloatBuffer
    let v: FloatBuffer
    /// What attention gives: [block, heads, head size].
    let attended: FloatBuffer
    /// [block, intermediate].
    let gate: FloatBuffer
    let up: FloatBuffer
    /// What quantised weights are multiplied by: [block, the widest input].
    let quantized: QuantizedRows
    /// [block, head size / 2].
    let cosine: FloatBuffer
    let sine: FloatBuffer
    /// One `AttentionTile` for each thread.
    let tiles: FloatBuffer
    /// [vocabulary]: what `forward` was asked for.
    let lastLogits: FloatBuffer

    /// Memory for models of this configuration.
    ///
    /// - Parameter block: how many positions are computed at once; the time of a call for `block` positions is what
    ///   more urgent work waits for.
    public init(_ configuration: LlamaConfiguration, block: Int = 64) {
        precondition(block > 0)
        self.block = block
        self.configuration = configuration
        let hidden = configuration.hidden_size
        x = FloatBuffer(zeros: block * hidden)
        normed = FloatBuffer(zeros: block * hidden)
        q = FloatBuffer(zeros: block * hidden)
        k = FloatBuffer(zeros: block * configuration.keyValueSize)
        v = FloatBuffer(zeros: block * configuration.keyValueSize)
        attended = FloatBuffer(zeros: block * hidden)
        gate = FloatBuffer(zeros: block * configuration.intermediate_size)
        up = FloatBuffer(zeros: block * configuration.intermediate_size)
        quantized = QuantizedRows(rows: block, width: max(hidden, configuration.intermediate_size))
        cosine = FloatBuffer(zeros: block * configuration.headSize / 2)
        sine = FloatBuffer(zeros: block * configuration.headSize / 2)
        tiles = FloatBuffer(zeros: ComputePool.shared.threadCount * AttentionTile.count(configuration))
        lastLogits = FloatBuffer(zeros: configuration.vocab_size)
    }

    /// Lends the logits of the token after the last one, of the last `forward` that was asked for them: [vocabulary].
    /// A sampler may work on them in place.
    public func withLogits<R, E: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableBufferPointer(start: lastLogits.pointer, count: lastLogits.count))
    }

    /// softmax(logits)[id]: how likely the model holds `id` to come next.
    public func probability(of id: Int32) -> Float {
        precondition((0..<lastLogits.count).contains(Int(id)), "no logit for token id \(id)")
        return expf(lastLogits.pointer[Int(id)] - kernels.log_sum_exp_f32(lastLogits.pointer, lastLogits.count))
    }

    /// The id with the largest logit; the first of equals, as torch's argmax.
    public var argmax: Int32 {
        var best = 0
        for id in 1..<lastLogits.count where lastLogits.pointer[id] > lastLogits.pointer[best] { best = id }
        return Int32(best)
    }
}
