import Checkpoints
import Tensors

/// PyTorch's LayerNorm over the last dimension.
struct LayerNorm: Sendable {
    let weight: Tensor
    let bias: Tensor
    let epsilon: Float

    init(_ weights: Weights, _ size: Int, epsilon: Float) throws(CheckpointError) {
        weight = try weights.tensor("weight", [size])
        bias = try weights.tensor("bias", [size])
        self.epsilon = epsilon
    }

    var size: Int { weight.count }

    /// y = the norm of `rows` rows of x; may be in place.
    func apply(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        weight.read { weight in bias.read { kernels.layer_norm_f32(y, x, weight, $0, rows, size, epsilon) } }
    }
}
