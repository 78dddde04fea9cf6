import Foundation
import Tensors

/// Why a `config.json` was refused.
public struct LlamaConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file's path; empty for a configuration that comes from no file.
    public var file: String
    /// The key that is at fault; empty when the file as a whole is.
    public var key: String
    /// What is wrong, as the rest of a sentence that the key begins.
    public var reason: String

    /// `FILE: KEY REASON`, on one line.
    public var description: String {
        let place = file.isEmpty ? "" : "\(file): "
        return key.isEmpty ? place + reason : "\(place)\(key) \(reason)"
    }

    init(key: String, _ reason: String) { (file, self.key, self.reason) = ("", key, reason) }

    /// Puts any error that reading a configuration can end with into this form.
    init(file: String, from error: any Error) {
        switch error {
        case var error as LlamaConfigurationError:
            error.file = file
            self = error
        case let error as FileError:
            self.init(key: "", error.description)
        case let error as DecodingError:
            self.init(error)
        default:
            self.init(key: "", "cannot be read: \(error)")
        }
        self.file = file
    }

    private init(_ error: DecodingError) {
        func name(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        switch error {
        case .keyNotFound(let key, let context):
            self.init(key: name(context.codingPath + [key]), "is missing")
        case .typeMismatch(_, let context) where context.codingPath.isEmpty:
            self.init(key: "", "is not a JSON object")
        case .typeMismatch(let type, let context):
            self.init(key: name(context.codingPath), "is not \(type == Bool.self ? "true or false" : "a \(type)")")
        case .valueNotFound(_, let context):
            self.init(key: name(context.codingPath), "is null")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            self.init(key: "", "is not JSON with numbers of an ordinary size")
        case .dataCorrupted(let context):
            self.init(key: name(context.codingPath), "has a value out of range")
        @unknown default:
            self.init(key: "", "cannot be read")
        }
    }
}

extension LlamaConfiguration {
    /// Throws unless the sizes fit together and are ones that a model can have.
    public func check() throws(LlamaConfigurationError) {
        let sizes = [
            ("vocab_size", vocab_size, 1 << 24), ("hidden_size", hidden_size, 1 << 16),
            ("intermediate_size", intermediate_size, 1 << 20), ("num_hidden_layers", num_hidden_layers, 1 << 10),
            ("num_attention_heads", num_attention_heads, 1 << 12),
            ("num_key_value_heads", num_key_value_heads, 1 << 12),
            ("max_position_embeddings", max_position_embeddings, 1 << 24),
        ]
        for (key, value, limit) in sizes where !(1...limit).contains(value) {
            throw LlamaConfigurationError(key: key, "is \(value), which is not between 1 and \(limit)")
        }
        guard hidden_size % num_attention_heads == 0, headSize % 2 == 0 else {
            throw LlamaConfigurationError(
                key: "num_attention_heads",
                "is \(num_attention_heads): a hidden_size of \(hidden_size) does not make "
                    + "that many heads of an even size")
        }
        guard num_attention_heads % num_key_value_heads == 0 else {
            throw LlamaConfigurationError(
                key: "num_key_value_heads",
                "is \(num_key_value_heads), which does not divide \(num_attention_heads) heads")
        }
        guard rms_norm_eps >= 0, rms_norm_eps < 1 else {
            throw LlamaConfigurationError(key: "rms_norm_eps", "is \(rms_norm_eps), which is not between 0 and 1")
        }
        guard rope_theta >= 1, rope_theta.isFinite else {
            throw LlamaConfigurationError(key: "rope_theta", "is \(rope_theta), which is not a number from 1 up")
        }
        guard let rope_scaling else { return }
        guard rope_scaling.type == "linear" else {
            throw LlamaConfigurationError(
                key: "rope_scaling.type", "is \"\(rope_scaling.type.prefix(50))\"; only linear scaling is implemented")
        }
        guard rope_scaling.factor > 1, rope_scaling.factor.isFinite else {
            throw LlamaConfigurationError(
                key: "rope_scaling.factor", "is \(rope_scaling.factor), which is not a number above 1")
        }
    }

    /// Keys that only matter when they hold something else than LLaMA-2 does.
    private enum Foreign: String, CodingKey {
        case model_type, hidden_act, head_dim, mlp_bias, quantization_config, rope_parameters
        case hidden_size, num_attention_heads
    }

    /// What `anygpt convert` writes; others' ways of quantising are not implemented.
    private struct Quantization: Decodable { let quant_method: String? }

    /// Throws for models that share LLaMA's tensor names but compute something else.
    static func refuseOtherModels(_ decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Foreign.self)
        for (key, only) in [(Foreign.model_type, "llama"), (.hidden_act, "silu")] {
            guard let value = try values.decodeIfPresent(String.self, forKey: key), value != only else { continue }
            throw LlamaConfigurationError(
                key: key.rawValue, "is \"\(value.prefix(50))\"; only \"\(only)\" is implemented")
        }
        if values.contains(.rope_parameters), try !values.decodeNil(forKey: .rope_parameters) {
            throw LlamaConfigurationError(
                key: Foreign.rope_parameters.rawValue, "is given; models with it are not implemented")
        }
        if let quantization = try values.decodeIfPresent(Quantization.self, forKey: .quantization_config),
            quantization.quant_method != "anygpt"
        {
            throw LlamaConfigurationError(
                key: "quantization_config",
                "is of \"\(quantization.quant_method?.prefix(50) ?? "")\"; take the original and use: anygpt convert")
        }
        if try values.decodeIfPresent(Bool.self, forKey: .mlp_bias) == true {
            throw LlamaConfigurationError(key: "mlp_bias", "is true; only attention_bias is implemented")
        }
        if let size = try values.decodeIfPresent(Double.self, forKey: .head_dim) {
            let hidden = try values.decode(Double.self, forKey: .hidden_size)
            guard size * (try values.decode(Double.self, forKey: .num_attention_heads)) == hidden else {
                throw LlamaConfigurationError(key: "head_dim", "is \(size), not hidden_size / num_attention_heads")
            }
        }
    }

    /// The file's bytes; a configuration of more than a mebibyte is none.
    static func contents(of file: URL) throws -> Data {
        let mapped = try MappedFile(path: file.path)
        guard mapped.count <= 1 << 20 else {
            throw LlamaConfigurationError(key: "", "has \(mapped.count) bytes, which no configuration has")
        }
        return withExtendedLifetime(mapped) { Data(mapped.bytes) }
    }
}
