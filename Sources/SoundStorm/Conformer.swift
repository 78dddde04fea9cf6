import Checkpoints
import Tensors

/// A Conformer block: half a feed-forward module, attention, convolution, the other half, a norm.
struct ConformerBlock: Sendable {
    let firstHalf: FeedForward
    let attention: Attention
    let convolution: ConvolutionModule
    let secondHalf: FeedForward
    let postNorm: LayerNorm

    init(_ weights: Weights, _ configuration: SoundStormConfiguration) throws {
        firstHalf = try FeedForward(weights["ff1"], configuration)
        attention = try Attention(weights["attn"], configuration)
        convolution = try ConvolutionModule(weights["conv"], configuration)
        secondHalf = try FeedForward(weights["ff2"], configuration)
        postNorm = try LayerNorm(weights["post_norm"], configuration.dim)
    }

    /// Replaces `space.stream` by the block's output. Threads meet twice: before a frame looks at all others, and
    /// before it looks at its neighbours.
    func apply(_ rotary: RotaryTable, visible: [Bool]?, _ space: Workspace) {
        space.forEachShare { rows, _ in
            firstHalf.add(rows, space)
            attention.project(rows, rotary, space)
        }
        space.forEachShare { rows, share in
            attention.add(rows, share: share, visible: visible, space)
            convolution.gate(rows, visible: visible, space)
        }
        space.forEachShare { rows, _ in
            convolution.add(rows, visible: visible, space)
            secondHalf.add(rows, space)
            let stream = Workspace.row(space.stream, rows.lowerBound, postNorm.weight.count)
            postNorm.apply(stream, rows: rows.count, into: stream)
        }
    }
}
