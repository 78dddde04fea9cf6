import Checkpoints
import Tensors

/// The number type that a conversion brings a backbone's weights to.
public enum Precision: String, Sendable, CaseIterable {
    /// The upper half of fp32, rounded to the nearest: 16 bits a weight, and all of them, so that the result is the source as
    /// everybody runs it at bf16.
    case bf16
    /// 8 bits a weight and a scale for each 32: 8.5 bits.
    case int8
    /// 4 bits a weight and a scale for each 32, 4.5 bits; the embeddings and the output matrix 8.5 bits, since they carry
    /// more of the error and are few.
    case int4

    /// What becomes of one tensor.
    enum Treatment: Equatable {
        /// As it is: beside quantised matrices norms and biases are small, and wanted exact.
        case copied
        case bfloat16
        case quantized(QuantizedFormat)
    }

    /// How a tensor of this name and shape is treated.
    func treatment(of name: String, shape: [Int]) -> Treatment {
        if self == .bf16 { return .bfloat16 }
        let isEnd = name == "lm_head.weight" || name == "model.embed_tokens.weight"
        guard shape.count == 2, isEnd || name.hasSuffix("_proj.weight") else { return .copied }
        guard QuantizedFormat.fits(inputs: shape[1]) else { return .bfloat16 }
        return .quantized(self == .int4 && !isEnd ? .q4 : .q8)
    }

    /// The bytes of a tensor when it is treated so.
    func byteCount(_ name: String, shape: [Int], dtype: DType) -> Int {
        let count = shape.reduce(1, *)
        switch treatment(of: name, shape: shape) {
        case .copied: return count * dtype.size
        case .bfloat16: return count * 2
        case .quantized(let format):
            return format.shape(outputs: shape[0], inputs: shape[1]).reduce(1, *)
                + QuantizedFormat.scaleShape(outputs: shape[0], inputs: shape[1]).reduce(2, *)
        }
    }
}
