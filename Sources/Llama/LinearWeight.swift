import Checkpoints
import Foundation
import Tensors

/// What a linear layer multiplies: rows of values and, for quantised weights, the same rows as whole numbers.
struct LinearInput {
    /// `[rows, inputs]`.
    let values: UnsafePointer<Float>
    let rows: Int
    /// Where the rows were quantised to, when a weight asked for it.
    fileprivate let quantized: (UnsafePointer<Int8>, scales: UnsafePointer<Float>, sums: UnsafePointer<Int32>)?

    /// Rows of `width` values; when they are to be `quantized` as well, `memory` takes them.
    init(
        _ values: UnsafePointer<Float>, rows: Int, width: Int, quantized: Bool, memory: borrowing QuantizedRows
    ) {
        (self.values, self.rows) = (values, rows)
        guard quantized else { self.quantized = nil; return }
        memory.quantize(values, rows: rows, width: width)
        self.quantized = (UnsafePointer(memory.values), UnsafePointer(memory.scales), UnsafePointer(memory.sums))
    }
}

/// A matrix `[outputs, inputs]` in the number type of the file that it is mapped from. Half-precision weights are
/// widened as they are used, which is exact: they take half the memory, and half the time to read. Those of 8 and 4
/// bits (`QuantizedFormat`) are multiplied by rows that are quantised too.
struct LinearWeight: Sendable {
    let outputs: Int
    let inputs: Int
    private let values: Values

    private enum Values: Sendable {
        case float32(Tensor)
        case float16(MappedArray)
        case bfloat16(MappedArray)
        case quantized(QuantizedFormat, MappedArray, scales: MappedArray)
    }

    /// Takes `weight` of this scope, and `weight_scale` where it is quantised.
    init(_ weights: Weights, outputs: Int, inputs: Int) throws {
        (self.outputs, self.inputs) = (outputs, inputs)
        switch weights.info("weight")?.dtype {
        case .float16:
            if let mapped = try weights.mapped("weight", [outputs, inputs]) { values = .float16(mapped); return }
        case .bfloat16:
            if let mapped = try weights.mapped("weight", [outputs, inputs]) { values = .bfloat16(mapped); return }
        case .uint8:
            values = try Self.quantized(weights, outputs: outputs, inputs: inputs)
            return
        default: break
        }
        values = .float32(try weights.tensor("weight", [outputs, inputs]))
    }

    private static func quantized(_ weights: Weights, outputs: Int, inputs: Int) throws -> Values {
        let shape = weights.info("weight")?.shape
        let format = QuantizedFormat.allCases.first { $0.shape(outputs: outputs, inputs: inputs) == shape }
        let wanted = format ?? .q8
        guard QuantizedFormat.fits(inputs: inputs),
            let panels = try weights.mapped("weight", wanted.shape(outputs: outputs, inputs: inputs)),
            weights.info("weight_scale")?.dtype == .bfloat16,
            let scales = try weights.mapped(
                "weight_scale", QuantizedFormat.scaleShape(outputs: outputs, inputs: inputs))
        else {
            throw CheckpointError(
                file: weights.info("weight")?.file ?? weights.checkpoint.url.path, tensor: weights.fullName("weight"),
                reason: "is quantised in a way that is not ours; convert the original with: anygpt convert")
        }
        return .quantized(wanted, panels, scales: scales)
    }

    var isQuantized: Bool { if case .quantized = values { true } else { false } }

    /// What a row costs, in multiply-adds of fp32.
    var work: Int { isQuantized ? outputs * inputs / 4 : outputs * inputs }

    /// One thread's part of the outputs: whole panels, so that none is read twice.
    func part(_ share: Int, of shares: Int) -> Range<Int> {
        let panels = QuantizedFormat.panels(outputs)
        let (start, end) = (panels * share / shares, panels * (share + 1) / shares)
        return min(start * QuantizedFormat.lanes, outputs)..<min(end * QuantizedFormat.lanes, outputs)
    }

    /// y[r, j] = x[r] · w[j] + bias[j], or += when `adding`, for the outputs j of a range that `part` gave.
    func multiply(
        _ x: LinearInput, into y: UnsafeMutablePointer<Float>, outputs part: Range<Int>,
        bias: UnsafePointer<Float>?, adding: Bool
    ) {
        let (y, bias, first, n) = (
            y + part.lowerBound, bias.map { $0 + part.lowerBound }, part.lowerBound * inputs, part.count
        )
        switch values {
        case .float32(let tensor):
            tensor.read {
                kernels.linear_f32(y, outputs, x.values, inputs, $0 + first, bias, x.rows, n, inputs, adding)
            }
        case .float16(let array):
            array.withElements(as: UInt16.self) {
                kernels.linear_f16(y, outputs, x.values, inputs, $0 + first, bias, x.rows, n, inputs, adding)
            }
        case .bfloat16(let array):
            array.withElements(as: UInt16.self) {
                kernels.linear_bf16(y, outputs, x.values, inputs, $0 + first, bias, x.rows, n, inputs, adding)
            }
        case .quantized(let format, let panels, let scales):
            guard let (q, rowScales, sums) = x.quantized else { preconditionFailure("rows that were not quantised") }
            let multiply = format == .q8 ? kernels.linear_q8 : kernels.linear_q4
            let panel = part.lowerBound / QuantizedFormat.lanes
            panels.withElements(as: UInt8.self) { w in
                scales.withElements(as: UInt16.self) { s in
                    multiply!(
                        y, outputs, q, rowScales, sums, w + panel * format.panelBytes(inputs: inputs),
                        s + panel * inputs / QuantizedFormat.group * QuantizedFormat.lanes, bias, x.rows, n, inputs,
                        adding)
                }
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
        case .quantized(let format, let panels, let scales):
            panels.withElements(as: UInt8.self) { w in
                scales.withElements(as: UInt16.self) { s in
                    for input in 0..<inputs {
                        target[input] =
                            format.scale(s, output: index, input: input, inputs: inputs)
                            * Float(format.weight(w, output: index, input: input, inputs: inputs))
                    }
                }
            }
        }
    }
}
