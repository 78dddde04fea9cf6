import Checkpoints
import Tensors

/// A linear layer, y = x · weightᵀ + bias, with its weights in the type that the checkpoint keeps them in.
struct LlamaLinear: Sendable {
    let weight: LinearWeight
    /// [outputs]; nil for none.
    let bias: Tensor?

    init(_ weights: Weights, outputs: Int, inputs: Int, bias: Bool = false) throws {
        weight = try LinearWeight(weights, outputs: outputs, inputs: inputs)
        self.bias = bias ? try weights.tensor("bias", [outputs]) : nil
    }

    /// What a row costs, in multiply-adds of fp32.
    var work: Int { weight.work }
    var isQuantized: Bool { weight.isQuantized }

    /// One thread's share of y = x · weightᵀ + bias (or y += …): x `[rows, inputs]`, y `[rows, outputs]`.
    /// The bits of a row do not depend on how many there are, or on the sharing.
    func multiply(
        _ x: LinearInput, into y: UnsafeMutablePointer<Float>, adding: Bool = false, share: Int, of shares: Int
    ) {
        let outputs = weight.part(share, of: shares)
        if let bias {
            bias.read { weight.multiply(x, into: y, outputs: outputs, bias: $0, adding: adding) }
        } else {
            weight.multiply(x, into: y, outputs: outputs, bias: nil, adding: adding)
        }
    }
}
