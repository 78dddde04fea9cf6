import Tensors

/// A linear layer: y = x · Wᵀ + b.
struct Linear: Sendable {
    let matrix: PackedMatrix
    let bias: Tensor?

    init(_ parameters: any ParameterSource, inputs: Int, outputs: Int, hasBias: Bool = true) throws {
        matrix = PackedMatrix(
            linear: try parameters.matrix("weight", outputs: outputs, inputs: inputs))
        bias = hasBias ? try parameters.tensor("bias", [outputs]) : nil
    }

    var inputs: Int { matrix.inputs }
    var outputs: Int { matrix.outputs }

    /// y = the layer's output for dense rows of x, or y += it; on the calling thread.
    func apply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldc: Int? = nil, adding: Bool = false
    ) {
        apply(x, rows: rows, into: y, ldc: ldc ?? outputs, columns: 0..<outputs, adding: adding)
    }

    /// Some of the outputs, from a multiple of `CK_PANEL` on: y, whose rows begin `ldc` values apart, is the first of them.
    func apply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldc: Int, columns: Range<Int>,
        adding: Bool = false
    ) {
        guard let bias else {
            return matrix.multiplyAlone(x, lda: inputs, rows: rows, into: y, ldc: ldc, columns: columns, adding: adding)
        }
        bias.read { bias in
            if adding {
                for row in 0..<rows { kernels.add_f32(y + row * ldc, bias + columns.lowerBound, columns.count) }
            }
            matrix.multiplyAlone(
                x, lda: inputs, rows: rows, into: y, ldc: ldc, columns: columns, bias: adding ? nil : bias,
                adding: adding)
        }
    }

    /// The layer's output for a few rows.
    func callAsFunction(_ x: Tensor) -> Tensor { matrix(x, bias: bias) }
}

/// PyTorch's LayerNorm over the last dimension.
struct LayerNorm: Sendable {
    let weight: Tensor
    let bias: Tensor
    let epsilon: Float

    init(_ parameters: any ParameterSource, _ size: Int, epsilon: Float = 1e-5) throws {
        weight = try parameters.tensor("weight", [size])
        bias = try parameters.tensor("bias", [size])
        self.epsilon = epsilon
    }

    /// y = the norm of dense rows of x; may be in place.
    func apply(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        weight.read { weight in
            bias.read { kernels.layer_norm_f32(y, x, weight, $0, rows, self.weight.count, epsilon) }
        }
    }

    /// The norm of a few rows.
    func callAsFunction(_ x: Tensor) -> Tensor {
        Tensor(generating: x.shape) { target in x.read { apply($0, rows: x.rows, into: target) } }
    }
}
