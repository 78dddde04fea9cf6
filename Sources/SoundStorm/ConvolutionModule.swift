import Checkpoints
import Tensors

/// The convolution module: x += W₂ norm(swish(depthwise(glu(W₁ norm(x))))) (Conformer, arXiv:2005.08100, section 2.2,
/// with a norm over channels in the place of the batch norm).
///
/// In two parts, because a frame's filter reaches over its neighbours: `gate`, then `add`.
struct ConvolutionModule: Sendable {
    let norm: LayerNorm
    let expand: Projection
    /// `[taps, channels]`.
    let filter: Tensor
    let filterBias: Tensor
    let gain: Tensor
    let contract: Projection

    /// Where the module's tensors are: two layouts are in circulation.
    struct Layout {
        let norm: String
        let expand: String
        let depthwise: String
        let gain: String
        let contract: String

        /// AnyGPT's copy of the network.
        static let split = Layout(
            norm: "net1.0", expand: "net1.2", depthwise: "ds_conv.conv", gain: "net2.1.gamma", contract: "net2.2")
        /// The stand-alone repository, where the module is one `Sequential`.
        static let sequential = Layout(
            norm: "net.0", expand: "net.2", depthwise: "net.4.conv", gain: "net.6.gamma", contract: "net.7")

        private init(norm: String, expand: String, depthwise: String, gain: String, contract: String) {
            self.norm = norm
            self.expand = expand
            self.depthwise = depthwise
            self.gain = gain
            self.contract = contract
        }

        /// The layout of the module in this scope.
        init(of weights: Weights) {
            self = weights["net"].childIndices.isEmpty ? .split : .sequential
        }
    }

    init(_ weights: Weights, _ configuration: SoundStormConfiguration) throws {
        let (dim, size, taps) = (configuration.dim, configuration.convolutionSize, configuration.kernelSize)
        let layout = Layout(of: weights)
        norm = try LayerNorm(weights[layout.norm], dim)
        expand = try Projection(weights[layout.expand], dim, 2 * size, tap: true)
        filter = try weights[layout.depthwise].tensor("weight", [size, 1, taps]).reshaped([size, taps]).transposed
        filterBias = try weights[layout.depthwise].tensor("bias", [size])
        gain = try weights.tensor(layout.gain, [1, size, 1])
        contract = try Projection(weights[layout.contract], size, dim, tap: true)
    }

    /// Zero frames that the filter sees in front of the first; the rest of its reach lies behind the last.
    static func framesBefore(_ taps: Int) -> Int { taps / 2 }

    /// The filter's input for these frames; zero where `visible` hides them.
    func gate(_ rows: Range<Int>, visible: [Bool]?, _ space: Workspace) {
        let (dim, size) = (norm.weight.count, filterBias.count)
        let normed = Workspace.row(space.normed, rows.lowerBound, dim)
        let hidden = Workspace.row(space.hidden, rows.lowerBound, space.hiddenSize)
        let gated = Workspace.row(space.gated, rows.lowerBound + Self.framesBefore(filter.rows), size)
        norm.apply(Workspace.row(space.stream, rows.lowerBound, dim), rows: rows.count, into: normed)
        expand.apply(normed, rows: rows.count, into: hidden)
        kernels.glu_f32(gated, hidden, rows.count, size)
        hide(gated, rows, visible)
    }

    /// Filters and adds these frames.
    func add(_ rows: Range<Int>, visible: [Bool]?, _ space: Workspace) {
        let (count, size) = (rows.count, filterBias.count)
        let gated = Workspace.row(space.gated, rows.lowerBound, size)
        let hidden = Workspace.row(space.hidden, rows.lowerBound, space.hiddenSize)
        filter.read { filter in
            filterBias.read { kernels.depthwise_f32(hidden, gated, filter, $0, count, self.filter.rows, size) }
        }
        hide(hidden, rows, visible)
        kernels.silu_f32(hidden, hidden, count * size)
        gain.read { kernels.clamped_norm_f32(hidden, hidden, $0, count, size, 1e-6) }
        contract.add(hidden, rows: count, to: Workspace.row(space.stream, rows.lowerBound, norm.weight.count))
    }

    private func hide(_ values: UnsafeMutablePointer<Float>, _ rows: Range<Int>, _ visible: [Bool]?) {
        guard let visible else { return }
        let size = filterBias.count
        for row in 0..<rows.count where !visible[rows.lowerBound + row] {
            (values + row * size).update(repeating: 0, count: size)
        }
    }
}
