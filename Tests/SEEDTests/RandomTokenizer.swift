import Checkpoints
import Foundation
import SEED
import TestSupport

/// A small tokenizer of random weights, in a folder that goes away with it.
final class RandomTokenizer {
    /// What a network is made of; heads of the decoder's blocks are always 12.
    struct Sizes: Sendable {
        var patch = 4
        var grid = 3
        var vision = 20
        var visionHeads = 2
        var visionDepth = 2
        var visionHidden = 33
        var size = 24
        var queryHeads = 3
        var layers = 3
        var hidden = 40
        var queries = 32
        var codes = 50
        var dimension = 6
        var blocks = 2
        var down = [14, 9, 4]
        var features = 17
    }

    struct Entry {
        var values: [Float]
        var shape: [Int]
    }

    let sizes: Sizes
    let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "anygpt-seed-\(UUID().uuidString)")
    var vision: [String: Entry] = [:]
    var quantizer: [String: Entry] = [:]

    init(_ sizes: Sizes = Sizes(), seed: UInt64) throws {
        self.sizes = sizes
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var generator = TestGenerator(seed: seed)
        for (name, shape) in Self.visionShapes(sizes) { vision[name] = Self.entry(name, shape, &generator) }
        for (name, shape) in Self.quantizerShapes(sizes) { quantizer[name] = Self.entry(name, shape, &generator) }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var configuration: SEEDConfiguration {
        var configuration = SEEDConfiguration()
        configuration.visionHeads = sizes.visionHeads
        configuration.visionDepth = sizes.visionDepth
        configuration.queryHeads = sizes.queryHeads
        return configuration
    }

    /// Writes both files, in a number type that holds the values exactly when it is the one they were rounded to.
    @discardableResult
    func write(_ type: DType = .float32) throws -> URL {
        try Self.write(vision, type, folder.appending(path: SEEDModel.visionFile))
        try Self.write(quantizer, type, folder.appending(path: SEEDModel.quantizerFile))
        return folder
    }

    func load() throws -> SEEDModel { try SEEDModel(folder: folder, configuration: configuration) }

    /// Rounds every weight to bfloat16.
    func round() {
        vision = vision.mapValues { Entry(values: $0.values.map(Self.rounded), shape: $0.shape) }
        quantizer = quantizer.mapValues { Entry(values: $0.values.map(Self.rounded), shape: $0.shape) }
    }

    private static func rounded(_ value: Float) -> Float { Float(bitPattern: value.bitPattern & 0xFFFF_0000) }

    private static func write(_ entries: [String: Entry], _ type: DType, _ url: URL) throws {
        var writer = SafetensorsWriter()
        for (name, entry) in entries {
            let bytes = entry.values.flatMap { value in
                switch type {
                case .bfloat16: withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { [UInt8]($0) }
                case .float16: withUnsafeBytes(of: Float16(value).bitPattern) { [UInt8]($0) }
                default: withUnsafeBytes(of: value.bitPattern) { [UInt8]($0) }
                }
            }
            writer.add(name, type, entry.shape) { bytes }
        }
        try writer.write(to: url)
    }

    private static func entry(_ name: String, _ shape: [Int], _ generator: inout TestGenerator) -> Entry {
        let count = shape.reduce(1, *)
        let noise = generator.normal(count)
        // Embeddings as large as what is compared with them; sums of about 1; norms near 1.
        let isTable = ["embedding.weight", "tokens", "token", "pos_embed", "pos_embed_image"].contains {
            name.hasSuffix($0)
        }
        if isTable { return Entry(values: noise, shape: shape) }
        if shape.count == 1 {
            let isNorm = name.hasSuffix("weight")
            return Entry(values: noise.map { (isNorm ? 1 : 0) + 0.2 * $0 }, shape: shape)
        }
        let scale = 1.5 / Float(count / shape[0]).squareRoot()
        return Entry(values: noise.map { $0 * scale }, shape: shape)
    }

    private static func visionShapes(_ s: Sizes) -> [(String, [Int])] {
        var shapes: [(String, [Int])] = [
            ("cls_token", [1, 1, s.vision]), ("pos_embed", [1, s.grid * s.grid + 1, s.vision]),
            ("patch_embed.proj.weight", [s.vision, 3, s.patch, s.patch]), ("patch_embed.proj.bias", [s.vision]),
            ("norm.weight", [s.vision]), ("head.weight", [2, s.vision]),
        ]
        // One more than is used, as the official file has.
        for block in 0...s.visionDepth {
            shapes += blockShapes("blocks.\(block)", s.vision, s.visionHidden)
            shapes += [("q_bias", [s.vision]), ("v_bias", [s.vision])].map { ("blocks.\(block).attn.\($0)", $1) }
        }
        return shapes
    }

    private static func blockShapes(_ name: String, _ size: Int, _ hidden: Int) -> [(String, [Int])] {
        [
            ("norm1.weight", [size]), ("norm1.bias", [size]), ("norm2.weight", [size]), ("norm2.bias", [size]),
            ("attn.qkv.weight", [3 * size, size]), ("attn.proj.weight", [size, size]), ("attn.proj.bias", [size]),
            ("mlp.fc1.weight", [hidden, size]), ("mlp.fc1.bias", [hidden]), ("mlp.fc2.weight", [size, hidden]),
            ("mlp.fc2.bias", [size]),
        ].map { ("\(name).\($0)", $1) }
    }

    private static func quantizerShapes(_ s: Sizes) -> [(String, [Int])] {
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> [(String, [Int])] {
            [("\(name).weight", [outputs, inputs]), ("\(name).bias", [outputs])]
        }
        func norm(_ name: String, _ size: Int) -> [(String, [Int])] {
            [("\(name).weight", [size]), ("\(name).bias", [size])]
        }
        var shapes: [(String, [Int])] = [
            ("query_tokens", [1, s.queries, s.size]), ("pos_embed_image", [1, s.queries, s.size]),
            ("quantize.embedding.weight", [s.codes, s.dimension]), ("text_branch.0.weight", [2, 2]),
            ("pos_embed", [1, s.queries, s.size]), ("Qformer.cls.predictions.bias", [3]),
        ]
        shapes += norm("ln_vision", s.vision) + norm("Qformer.bert.embeddings.LayerNorm", s.size)
        for layer in 0..<s.layers {
            let name = "Qformer.bert.encoder.layer.\(layer)"
            for (kind, keys) in [("attention", s.size), ("crossattention", s.vision)]
            where kind == "attention" || layer.isMultiple(of: 2) {
                shapes += linear("\(name).\(kind).self.query", s.size, s.size)
                shapes += linear("\(name).\(kind).self.key", keys, s.size)
                shapes += linear("\(name).\(kind).self.value", keys, s.size)
                shapes += linear("\(name).\(kind).output.dense", s.size, s.size)
                shapes += norm("\(name).\(kind).output.LayerNorm", s.size)
            }
            shapes += linear("\(name).intermediate_query.dense", s.size, s.hidden)
            shapes += linear("\(name).output_query.dense", s.hidden, s.size)
            shapes += norm("\(name).output_query.LayerNorm", s.size) + linear("\(name).output.dense", 3, 2)
        }
        shapes += linear("encode_task_layer.0", s.size, s.size) + linear("encode_task_layer.2", s.size, s.dimension)
        shapes += linear("decode_task_layer.0", s.dimension, s.dimension)
        shapes += linear("decode_task_layer.2", s.dimension, s.size)
        for block in 0..<s.blocks {
            shapes += blockShapes("blocks_image.\(block)", s.size, 4 * s.size)
            shapes.append(("blocks_image.\(block).attn.qkv.bias", [3 * s.size]))
        }
        var width = s.size
        for (index, next) in s.down.enumerated() {
            shapes.append(("image_down.\(2 * index).weight", [next, width]))
            width = next
        }
        return shapes + linear("distill_image_proj", s.queries * width, s.features)
    }
}
