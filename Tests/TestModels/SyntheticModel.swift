public import Checkpoints
public import Foundation
public import Llama
import TestSupport

/// A model with random weights, written as a folder that `LlamaModel` loads; its weights in fp32 for naive code.
public struct SyntheticModel {
    /// Its shape.
    public let configuration: LlamaConfiguration
    /// The folder that it was written to.
    public let folder: URL
    /// By the checkpoint's names.
    public private(set) var weights: [String: [Float]] = [:]
    private var arrays: [(String, TypedArray)] = []

    /// Writes a model of this shape, the same for the same seed.
    public init(_ configuration: LlamaConfiguration, seed: UInt64, dtype: DType = .float32) throws {
        self.configuration = configuration
        folder = FileManager.default.temporaryDirectory.appending(path: "llama-\(UUID().uuidString)")
        var generator = TestGenerator(seed: seed)
        for (name, shape) in LlamaModel.tensors(configuration) {
            let isNorm = name.hasSuffix("norm.weight")
            let scale: Float = name.contains("bias") ? 0.3 : 1 / Float(shape.last ?? 1).squareRoot()
            let values = generator.normal(shape.reduce(1, *)).map { isNorm ? 1 + 0.1 * $0 : $0 * scale }
            let array = Self.stored(values, shape, dtype)
            weights[name] = array.floats
            arrays.append((name, array))
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try JSONEncoder().encode(configuration).write(to: folder.appending(path: "config.json"))
        try write()
    }

    /// Writes the weights again: without a tensor, with one more, or with one in another shape.
    public func write(without missing: String? = nil, with extra: [(String, TypedArray)] = []) throws {
        var writer = SafetensorsWriter()
        for (name, array) in arrays where name != missing && !extra.contains(where: { $0.0 == name }) {
            writer.add(name, array)
        }
        for (name, array) in extra { writer.add(name, array) }
        try writer.write(to: folder.appending(path: "model.safetensors"))
    }

    /// The model.
    public func load() throws -> LlamaModel { try LlamaModel(folder: folder) }

    /// Removes the folder.
    public func remove() { try? FileManager.default.removeItem(at: folder) }

    private static func stored(_ values: [Float], _ shape: [Int], _ dtype: DType) -> TypedArray {
        let words: [UInt16]
        switch dtype {
        case .float16: words = values.map { Float16($0).bitPattern }
        case .bfloat16: words = values.map { UInt16($0.bitPattern >> 16) }
        default: return TypedArray(values, shape: shape)
        }
        return TypedArray(dtype: dtype, shape: shape, bytes: words.withUnsafeBytes { [UInt8]($0) })
    }
}
