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

    /// Multiply-adds for each row.
    var work: Int { weight.outputs * weight.inputs }

    /// One thread's share of y = x · weightᵀ + bias (or y += …): x `[rows, inputs]`, y `[rows, outputs]`.
    /// The bits of a row do not depend on `rows` or on the sharing.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, adding: Bool = false,
        share: Int, of shares: Int
    ) {
        let start = weight.outputs * share / shares
        let outputs = start..<(weight.outputs * (share + 1) / shares)
        if let bias {
            bias.read { weight.multiply(x, rows: rows, into: y, outputs: outputs, bias: $0, adding: adding) }
        } else {
            weight.multiply(x, rows: rows, into: y, outputs: outputs, bias: nil, adding: adding)
        }
    }
}
