import Checkpoints
import Tensors

/// One direction of one layer of PyTorch's `nn.LSTM`: gates in the order input, forget, cell, output, two biases.
public struct LSTMCell: Sendable {
    /// Values of the hidden state.
    public let hidden: Int
    private let input: PackedMatrix
    private let recurrent: PackedMatrix
    private let bias: Tensor

    /// Reads `weight_ih_…`, `weight_hh_…`, `bias_ih_…`, `bias_hh_…` with `suffix` such as "l0" or "l1_reverse".
    public init(_ weights: Weights, inputs: Int, hidden: Int, suffix: String) throws {
        self.hidden = hidden
        input = PackedMatrix(linear: try weights.tensor("weight_ih_\(suffix)", [4 * hidden, inputs]))
        recurrent = PackedMatrix(linear: try weights.tensor("weight_hh_\(suffix)", [4 * hidden, hidden]))
        bias =
            try weights.tensor("bias_ih_\(suffix)", [4 * hidden]) + weights.tensor("bias_hh_\(suffix)", [4 * hidden])
    }

    /// What the inputs contribute to the gates: `[frames, inputs]` → `[frames, 4 · hidden]`.
    func inputGates(_ x: Tensor) -> Tensor { input(x, bias: bias) }

    /// One frame: `gates` (its input's contribution) is destroyed, `h` and `c` go from the last frame's to this one's.
    /// Weights are read `backwards` at every second frame, which changes no bit.
    func step(
        gates: UnsafeMutablePointer<Float>, h: UnsafeMutablePointer<Float>, c: UnsafeMutablePointer<Float>,
        backwards: Bool = false
    ) {
        recurrent.accumulate(h, into: gates, backwards: backwards)
        kernels.lstm_gates_f32(gates, c, h, hidden)
    }
}
