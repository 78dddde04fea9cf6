import Tensors

/// The product of a convolution's windows with its weights, whose bits do not depend on how the windows are cut into
/// pieces.
///
/// A packed matrix is a panel of 32 outputs wide: for the one channel of a waveform, a dot product for each window is
/// 20 times faster.
struct WindowProduct: Sendable {
    private enum Form {
        case packed(PackedMatrix)
        /// `[outputs, inputs]`
        case narrow(Tensor)
    }

    /// Up to so many outputs are summed one by one.
    static let fewOutputs = 4
    private let form: Form
    private let inputs: Int
    private let outputs: Int

    /// Takes weights `[inputs, outputs]`.
    init(_ weight: Tensor) {
        (inputs, outputs) = (weight.rows, weight.rowCount)
        form = outputs <= Self.fewOutputs ? .narrow(weight.transposed) : .packed(PackedMatrix(transposed: weight))
    }

    /// c[r, :] = a[r, :] · W + bias, or += when `adding`; rows of `a` start `lda` values apart and may overlap, those of
    /// `c` are dense.
    func multiply(
        _ a: UnsafePointer<Float>, lda: Int, rows: Int, into c: UnsafeMutablePointer<Float>,
        bias: UnsafePointer<Float>, adding: Bool
    ) {
        switch form {
        case .packed(let matrix):
            matrix.multiply(a, lda: lda, rows: rows, into: c, ldc: outputs, bias: bias, adding: adding)
        case .narrow(let weight):
            weight.read { w in
                for row in 0..<rows {
                    for output in 0..<outputs {
                        let sum = kernels.dot_f32(a + row * lda, w + output * inputs, inputs)
                        c[row * outputs + output] = sum + (adding ? c[row * outputs + output] : bias[output])
                    }
                }
            }
        }
    }
}
