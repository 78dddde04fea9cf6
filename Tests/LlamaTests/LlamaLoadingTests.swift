import Checkpoints
import Foundation
import Llama
import TestModels
import Testing

@Suite("Loading is strict, and configurations are checked")
struct LlamaLoadingTests {
    static let configuration = LlamaConfiguration(
        vocab_size: 20, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 4,
        num_key_value_heads: 2, attention_bias: true)

    private func error(_ body: () throws -> LlamaModel) -> String {
        do {
            _ = try body()
            return "loaded"
        } catch {
            return "\(error)"
        }
    }

    @Test("a missing tensor is named, whichever it is")
    func missing() throws {
        let synthetic = try SyntheticModel(Self.configuration, seed: 1)
        defer { synthetic.remove() }
        for (name, _) in LlamaModel.tensors(Self.configuration) {
            try synthetic.write(without: name)
            let message = error(synthetic.load)
            #expect(message.contains("\"\(name)\" is missing"), "\(message)")
        }
    }

    @Test(
        "a wrongly shaped tensor is named, whichever it is, in every number type", arguments: [DType.float32, .float16])
    func shapes(dtype: DType) throws {
        let synthetic = try SyntheticModel(Self.configuration, seed: 2, dtype: dtype)
        defer { synthetic.remove() }
        for (name, shape) in LlamaModel.tensors(Self.configuration) {
            for wrong in [[shape[0] + 1] + shape.dropFirst(), shape.reversed() + [1]] {
                let bytes = [UInt8](repeating: 0, count: wrong.reduce(dtype.size, *))
                try synthetic.write(with: [(name, TypedArray(dtype: dtype, shape: wrong, bytes: bytes))])
                let message = error(synthetic.load)
                #expect(message.contains(name) && message.contains("\(wrong)"), "\(message)")
            }
        }
    }

    @Test("a tensor that has no place is named; rotary buffers are passed over")
    func leftOver() throws {
        let synthetic = try SyntheticModel(Self.configuration, seed: 3)
        defer { synthetic.remove() }
        let buffer = TypedArray([1, 0.1], shape: [2])
        try synthetic.write(with: [("model.layers.0.self_attn.rotary_emb.inv_freq", buffer)])
        #expect(error(synthetic.load) == "loaded")
        for name in ["model.layers.2.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.bias", "inv_freq", "x"] {
            try synthetic.write(with: [(name, buffer)])
            #expect(error(synthetic.load).contains(name))
        }
    }

    @Test("tied files may hold the shared matrix twice; untied ones must hold both")
    func tied() throws {
        var configuration = Self.configuration
        configuration.tie_word_embeddings = true
        let synthetic = try SyntheticModel(configuration, seed: 4)
        defer { synthetic.remove() }
        #expect(error(synthetic.load) == "loaded")
        let head = TypedArray([Float](repeating: 0, count: 320), shape: [20, 16])
        try synthetic.write(with: [("lm_head.weight", head)])
        #expect(error(synthetic.load) == "loaded")
    }

    /// A configuration with some keys replaced; nil leaves a key out.
    private func read(_ changes: [String: Any?]) throws -> LlamaConfiguration {
        var keys: [String: Any] = [
            "model_type": "llama", "hidden_act": "silu", "vocab_size": 100, "hidden_size": 64, "intermediate_size": 172,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "rope_theta": 5000,
            "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "torch_dtype": "float16",
        ]
        for (key, value) in changes { keys[key] = value }
        return try parse(JSONSerialization.data(withJSONObject: keys))
    }

    private func parse(_ contents: Data) throws -> LlamaConfiguration {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
        try contents.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try LlamaConfiguration(contentsOf: file)
    }

    @Test("old folders lack keys, which have transformers' defaults")
    func defaults() throws {
        let old = try read([
            "num_key_value_heads": nil, "rope_theta": nil, "rms_norm_eps": nil, "max_position_embeddings": nil,
            "model_type": nil, "hidden_act": nil, "torch_dtype": nil,
        ])
        #expect(old.num_key_value_heads == 4 && old.rope_theta == 10_000 && old.max_position_embeddings == 2048)
        #expect(old.rms_norm_eps == 1e-6 && !old.attention_bias && !old.tie_word_embeddings && old.rope_scaling == nil)
        let full = try read([
            "rope_scaling": ["type": "linear", "factor": 2.0], "attention_bias": true, "tie_word_embeddings": true,
        ])
        #expect(full.num_key_value_heads == 2 && full.rope_theta == 5000 && full.rms_norm_eps == 1e-5)
        #expect(full.rope_scaling == .init(factor: 2) && full.attention_bias && full.tie_word_embeddings)
        #expect(try read(["rope_scaling": NSNull(), "head_dim": 16, "quantization_config": NSNull()]).headSize == 16)
    }

    @Test("a bad value is refused with its key")
    func badValues() throws {
        let bad: [(String, Any?)] = [
            ("vocab_size", 0), ("vocab_size", -3), ("vocab_size", 1 << 40), ("vocab_size", "many"), ("vocab_size", nil),
            ("hidden_size", 0), ("hidden_size", 64.5), ("hidden_size", 1 << 62), ("hidden_size", NSNull()),
            ("intermediate_size", -1), ("intermediate_size", nil), ("num_hidden_layers", 0),
            ("num_hidden_layers", 1_000_000), ("num_hidden_layers", true), ("num_attention_heads", 0),
            ("num_attention_heads", 5), ("num_attention_heads", 64), ("num_key_value_heads", 3),
            ("num_key_value_heads", 0), ("num_key_value_heads", 8), ("max_position_embeddings", 0),
            ("max_position_embeddings", -1), ("rms_norm_eps", -1e-5), ("rms_norm_eps", 7), ("rope_theta", 0),
            ("rope_theta", -1), ("rope_theta", "x"), ("rope_theta", 1e300), ("hidden_act", "gelu"),
            ("model_type", "mistral"), ("attention_bias", "yes"), ("mlp_bias", true), ("head_dim", 32), ("head_dim", 0),
            ("quantization_config", ["bits": 4]), ("rope_parameters", ["rope_type": "default"]),
            ("rope_scaling", 2), ("rope_scaling", ["type": "dynamic", "factor": 2.0]),
            ("rope_scaling", ["type": "linear", "factor": 0.5]),
            ("rope_scaling", ["rope_type": "llama3", "factor": 8.0]),
            ("rope_scaling", ["type": "linear"]), ("tie_word_embeddings", 3),
        ]
        for (key, value) in bad {
            let error = #expect(throws: LlamaConfigurationError.self, "\(key)") { try read([key: value]) }
            guard let error else { continue }
            #expect(error.key.hasPrefix(key), "\(error)")
            #expect(error.description.contains(".json: \(key)") && !error.description.contains("\n"))
        }
    }

    @Test("what is no configuration at all is refused with its file")
    func noConfiguration() throws {
        let deep = String(repeating: "[", count: 100_000)
        let long = String(repeating: " ", count: 2 << 20) + "{}"
        for text in ["", "{", "[]", "null", "7", "{\"vocab_size\": 1e999}", "{\"vocab_size\": 10", "\u{0}", deep, long]
        {
            let error = #expect(throws: LlamaConfigurationError.self) { try parse(Data(text.utf8)) }
            #expect(error?.file.hasSuffix(".json") == true)
        }
        #expect(throws: LlamaConfigurationError.self) { try parse(Data([0xFF, 0xFE, 0x80])) }
        let nowhere = URL(filePath: "/nowhere/config.json")
        #expect(throws: LlamaConfigurationError.self) { try LlamaConfiguration(contentsOf: nowhere) }
    }
}
