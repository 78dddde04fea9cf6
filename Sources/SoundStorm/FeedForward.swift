import Checkpoints
import Tensors

/// Half a feed-forward module: x += ½ · W₂ swish(W₁ norm(x)) (Conformer, arXiv:2005.08100, section 2.3).
struct FeedForward: Sendable {
    let norm: LayerNorm
    let expand: Projection
    let contract: Projection

    init(_ weights: Weights, _ configuration: SoundStormConfiguration) throws {
        let (dim, size) = (configuration.dim, configuration.feedForwardSize)
        norm = try LayerNorm(weights["fn.norm"], dim)
        expand = try Projection(weights["fn.fn.net.0"], dim, size)
        contract = try Projection(halved: weights["fn.fn.net.3"], size, dim)
    }

    func add(_ rows: Range<Int>, _ space: Workspace) {
        let dim = norm.weight.count
        let x = Workspace.row(space.stream, rows.lowerBound, dim)
        let normed = Workspace.row(space.normed, rows.lowerBound, dim)
        let hidden = Workspace.row(space.hidden, rows.lowerBound, space.hiddenSize)
        norm.apply(x, rows: rows.count, into: normed)
        expand.apply(normed, rows: rows.count, into: hidden)
        kernels.silu_f32(hidden, hidden, rows.count * expand.matrix.outputs)
        contract.add(hidden, rows: rows.count, to: x)
    }
}
