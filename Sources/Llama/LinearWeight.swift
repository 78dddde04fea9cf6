import Checkpoints
import Tensors

/// A matrix `[outputs, inputs]` in the number type of the file that it is mapped from. Half-precision weights are
/// widened as they are used, which is exact: they take half the memory, and half the time to read.
struct LinearWeight: Sendable {
    let outputs: Int
    let inputs: Int
    private let values: Values

    private enum Values: Sendable {
        case float32(Tensor)
        case float16(MappedArray)
        case bfloat16(MappedArray)
    }

    /// Takes `weight` of this scope.
    init(_ weights: Weights, outputs: Int, inputs: Int) throws {
        (self.outputs, self.inputs) = (outputs, inputs)
        switch weights.info("weight")?.dtype {
        case .float16:
            if let mapped = try weights.mapped("weight", [outputs, inputs]) { values = .float16(mapped); return }
        case .bfloat16:
            if let mapped = try weights.mapped("weight", [outputs, inputs]) { values = .bfloat16(mapped); return }
        default: break
        }
        values = .float32(try weights.tensor("weight", [outputs, inputs]))
    }

    /// y[r, j] = x[r] · w[j] + bias[j], or += when `adding`, for the outputs j of a range.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, outputs part: Range<Int>,
        bias: UnsafePointer<Float>?, adding: Bool
    ) {
        let (y, bias, first, n) = (
            y + part.lowerBound, bias.map { $0 + part.lowerBound }, part.lowerBound * inputs, part.count
        )
        switch values {
        case .float32(let tensor):
            tensor.read { kernels.linear_f32(y, outputs, x, inputs, $0 + first, bias, rows, n, inputs, adding) }
        case .float16(let array):
            array.withElements(as: UInt16.self) {
                kernels.linear_f16(y, outputs, x, inputs, $0 + first, bias, rows, n, inputs, adding)
            }
        case .bfloat16(let array):
            array.withElements(as: UInt16.self) {
                kernels.linear_bf16(y, outputs, x, inputs, $0 + first, bias, rows, n, inputs, adding)
            }
        }
    }

    /// Copies row `index`, widened, to `target`: [inputs].
    func copyRow(_ index: Int, to target: UnsafeMutablePointer<Float>) {
        switch values {
        case .float32(let tensor): tensor.read { target.update(from: $0 + index * inputs, count: inputs) }
        case .float16(let array):
            array.withElements(as: UInt16.self) { kernels.f16_to_f32(target, $0 + index * inputs, inputs) }
        case .bfloat16(let array):
            array.withElements(as: UInt16.self) { kernels.bf16_to_f32(target, $0 + index * inputs, inputs) }
        }
    }
}
