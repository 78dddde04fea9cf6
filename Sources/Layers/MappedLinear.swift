public import Checkpoints
public import Tensors

/// A linear layer, y = x · weightᵀ + bias, for networks that are large and are given many rows at once: its weights stay
/// where they are mapped, in the number type of the file. Half-precision ones are widened a tile of outputs at a time,
/// which stays in a core's cache while OpenBLAS multiplies by it: they take no memory of the process, and about a
/// twentieth of the time.
///
/// The tiles are the pieces that a caller shares between threads, and between which more urgent work may come in.
public struct MappedLinear: Sendable {
    /// Values that each output is a sum over.
    public let inputs: Int
    /// Outputs for each row.
    public let outputs: Int
    private let weight: Weight
    private let bias: Tensor?

    private enum Weight: Sendable {
        case float32(Tensor)
        case float16(MappedArray)
        case bfloat16(MappedArray)
    }

    /// Outputs of a tile.
    public static let tile = 256

    /// Takes `weight` of this scope, `[outputs, inputs]` or, for a convolution that is applied to patches, in that
    /// convolution's `shape`; and the bias that is given.
    public init(
        _ weights: Weights, _ inputs: Int, _ outputs: Int, shape: [Int]? = nil, bias: Tensor?
    ) throws(CheckpointError) {
        let shape = shape ?? [outputs, inputs]
        precondition(shape.reduce(1, *) == inputs * outputs && shape[0] == outputs)
        (self.inputs, self.outputs, self.bias) = (inputs, outputs, bias)
        let type = weights.info("weight")?.dtype
        if type == .float16 || type == .bfloat16, let mapped = try weights.mapped("weight", shape) {
            weight = type == .float16 ? .float16(mapped) : .bfloat16(mapped)
        } else {
            weight = .float32(try weights.tensor("weight", shape))
        }
    }

    /// Takes `weight` and, unless told otherwise, `bias` of this scope.
    public init(_ weights: Weights, _ inputs: Int, _ outputs: Int, bias: Bool = true) throws(CheckpointError) {
        try self.init(weights, inputs, outputs, bias: bias ? weights.tensor("bias", [outputs]) : nil)
    }

    /// The number of tiles.
    public var tiles: Int { (outputs + Self.tile - 1) / Self.tile }

    /// The outputs of a tile.
    public func outputs(of tile: Int) -> Range<Int> {
        tile * Self.tile..<min(outputs, (tile + 1) * Self.tile)
    }

    /// y[:, tile] = x · weightᵀ + bias (+ y[:, tile] when `adding`), on the calling thread alone; x: `rows` rows of
    /// `inputs` values, y: rows that start `outputs` values apart.
    public func multiply(
        tile: Int, _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, adding: Bool = false
    ) {
        let part = outputs(of: tile)
        withTile(part) { weight in
            MatrixProduct.multiplyTransposed(
                x, lda: inputs, weight, ldb: inputs, into: y + part.lowerBound, ldc: outputs, m: rows, n: part.count,
                k: inputs, adding: adding, sharing: false)
        }
        bias?.read { bias in
            for row in 0..<rows {
                kernels.add_f32(y + row * outputs + part.lowerBound, bias + part.lowerBound, part.count)
            }
        }
    }

    /// Lends the weights of some outputs, in fp32.
    private func withTile(_ part: Range<Int>, _ body: (UnsafePointer<Float>) -> Void) {
        let count = part.count * inputs
        switch weight {
        case .float32(let tensor): tensor.read { body($0 + part.lowerBound * inputs) }
        case .float16(let array): widen(array, part, count, kernels.f16_to_f32, body)
        case .bfloat16(let array): widen(array, part, count, kernels.bf16_to_f32, body)
        }
    }

    private func widen(
        _ array: MappedArray, _ part: Range<Int>, _ count: Int,
        _ convert: @convention(c) (UnsafeMutablePointer<Float>?, UnsafePointer<UInt16>?, Int) -> Void,
        _ body: (UnsafePointer<Float>) -> Void
    ) {
        withUnsafeTemporaryAllocation(byteCount: count * 4, alignment: 64) { memory in
            guard let floats = memory.bindMemory(to: Float.self).baseAddress else { return }
            array.withElements(as: UInt16.self) { convert(floats, $0 + part.lowerBound * inputs, count) }
            body(floats)
        }
    }
}
