import Checkpoints
import Tensors

/// A linear layer, or a convolution of one tap: y = x · Wᵀ + b.
///
/// Packed, because then the bits of a frame do not depend on which other frames are computed with it: a pass may leave
/// out what nobody looks at, and may be cut among any number of threads.
struct Projection: Sendable {
    let matrix: PackedMatrix
    let bias: Tensor?

    init(_ matrix: PackedMatrix, bias: Tensor?) {
        self.matrix = matrix
        self.bias = bias
    }

    /// Loads `weight`, `[outputs, inputs]` or, for a convolution, `[outputs, inputs, 1]`, and `bias`.
    init(_ weights: Weights, _ inputs: Int, _ outputs: Int, tap: Bool = false, bias: Bool = true) throws {
        let weight = try weights.tensor("weight", tap ? [outputs, inputs, 1] : [outputs, inputs])
        self.init(
            PackedMatrix(linear: weight.reshaped([outputs, inputs])),
            bias: bias ? try weights.tensor("bias", [outputs]) : nil)
    }

    /// Loads a layer whose output is always halved. Exact: halving moves the exponent only.
    init(halved weights: Weights, _ inputs: Int, _ outputs: Int) throws {
        var weight = try weights.tensor("weight", [outputs, inputs])
        var bias = try weights.tensor("bias", [outputs])
        weight.scale(0.5)
        bias.scale(0.5)
        self.init(PackedMatrix(linear: weight), bias: bias)
    }

    /// y = the layer's output for `rows` rows of x; rows of y start `ldc` values apart.
    func apply(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldc: Int? = nil) {
        let ldc = ldc ?? matrix.outputs
        if let bias {
            bias.read { matrix.multiply(x, lda: matrix.inputs, rows: rows, into: y, ldc: ldc, bias: $0) }
        } else {
            matrix.multiply(x, lda: matrix.inputs, rows: rows, into: y, ldc: ldc)
        }
    }

    /// y += the layer's output, for `rows` dense rows.
    func add(_ x: UnsafePointer<Float>, rows: Int, to y: UnsafeMutablePointer<Float>) {
        bias?.read { kernels.add_bias_f32(y, $0, rows, matrix.outputs) }
        matrix.multiply(x, lda: matrix.inputs, rows: rows, into: y, ldc: matrix.outputs, adding: true)
    }
}

/// PyTorch's LayerNorm over the last dimension.
struct LayerNorm: Sendable {
    let weight: Tensor
    let bias: Tensor

    init(_ weights: Weights, _ size: Int) throws {
        weight = try weights.tensor("weight", [size])
        bias = try weights.tensor("bias", [size])
    }

    /// y = the norm of `rows` rows of x; may be in place.
    func apply(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        weight.read { weight in
            bias.read { kernels.layer_norm_f32(y, x, weight, $0, rows, self.weight.count, 1e-5) }
        }
    }
}
