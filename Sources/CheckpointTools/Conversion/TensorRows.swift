import Checkpoints
import Tensors

/// The rows of a source's matrix as fp32, a few at a time: in place where the file has them so, as a copy of the whole
/// where they lie compressed or strided.
struct TensorRows {
    let count: Int
    let width: Int
    private let values: Values

    private enum Values {
        case mapped(MappedArray)
        case copied(Tensor)
    }

    init(_ name: String, _ source: Checkpoint) throws(CheckpointError) {
        let shape = source.info(name)?.shape ?? []
        count = shape.first ?? 1
        width = shape.dropFirst().reduce(1, *)
        if let mapped = try source.mapped(name), [.float16, .bfloat16].contains(mapped.dtype) {
            values = .mapped(mapped)
        } else {
            values = .copied(try source.tensor(name))
        }
    }

    /// Copies rows, widened, to `target`: [rows, width].
    func copy(_ rows: Range<Int>, to target: UnsafeMutablePointer<Float>) {
        let (first, count) = (rows.lowerBound * width, rows.count * width)
        switch values {
        case .copied(let tensor): tensor.read { target.update(from: $0 + first, count: count) }
        case .mapped(let array):
            array.withElements(as: UInt16.self) { words in
                if array.dtype == .float16 {
                    kernels.f16_to_f32(target, words + first, count)
                } else {
                    kernels.bf16_to_f32(target, words + first, count)
                }
            }
        }
    }
}
