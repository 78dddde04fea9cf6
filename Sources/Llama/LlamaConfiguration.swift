public import Foundation

/// The shape of a LLaMA model, as `config.json` of a Hugging Face folder tells it.
///
/// The rules are those of transformers 4.34.1 (`configuration_llama.py`): what older folders leave out has the same
/// default there. What would change the numbers and is not implemented is refused.
public struct LlamaConfiguration: Sendable, Equatable, Codable {
    /// Token ids that the model knows.
    public var vocab_size: Int
    /// Values of a position's state.
    public var hidden_size: Int
    /// Values between the two halves of a block's MLP.
    public var intermediate_size: Int
    /// Blocks.
    public var num_hidden_layers: Int
    /// Query heads; each has `hidden_size / num_attention_heads` values.
    public var num_attention_heads: Int
    /// Key and value heads, each shared by a group of query heads; as many as query heads where the folder is silent.
    public var num_key_value_heads: Int
    /// The longest conversation, in tokens.
    public var max_position_embeddings: Int
    /// Added to the mean square before its root is taken.
    public var rms_norm_eps: Float
    /// The base of the rotary frequencies.
    public var rope_theta: Float
    /// How positions are stretched; nil for not at all.
    public var rope_scaling: RopeScaling?
    /// Whether the four projections of attention have biases.
    public var attention_bias: Bool
    /// Whether the output matrix is the embedding matrix.
    public var tie_word_embeddings: Bool

    /// A stretching of the rotary positions.
    public struct RopeScaling: Sendable, Equatable, Codable {
        /// Only "linear" is implemented; others are refused when a configuration is read.
        public var type: String
        /// Positions are divided by this.
        public var factor: Float

        /// The stretching by a factor above 1.
        public init(type: String = "linear", factor: Float) { (self.type, self.factor) = (type, factor) }
    }

    /// Values of one head.
    public var headSize: Int { hidden_size / num_attention_heads }
    /// Values of all key heads (or value heads) at one position.
    var keyValueSize: Int { num_key_value_heads * headSize }
    /// Query heads that share a key head.
    var groupSize: Int { num_attention_heads / num_key_value_heads }

    /// A configuration; `num_key_value_heads` nil means as many as query heads. It is not checked: see `check()`.
    public init(
        vocab_size: Int, hidden_size: Int, intermediate_size: Int, num_hidden_layers: Int, num_attention_heads: Int,
        num_key_value_heads: Int? = nil, max_position_embeddings: Int = 2048, rms_norm_eps: Float = 1e-6,
        rope_theta: Float = 10_000, rope_scaling: RopeScaling? = nil, attention_bias: Bool = false,
        tie_word_embeddings: Bool = false
    ) {
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.intermediate_size = intermediate_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.num_key_value_heads = num_key_value_heads ?? num_attention_heads
        self.max_position_embeddings = max_position_embeddings
        self.rms_norm_eps = rms_norm_eps
        self.rope_theta = rope_theta
        self.rope_scaling = rope_scaling
        self.attention_bias = attention_bias
        self.tie_word_embeddings = tie_word_embeddings
    }

    /// Reads a checked configuration from the contents of a `config.json`.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try Self.refuseOtherModels(decoder)
        /// JSON does not tell 64 from 64.0, but 64.5 is no size.
        func size(_ key: CodingKeys, default missing: Int? = nil) throws -> Int {
            if let missing, try !values.contains(key) || values.decodeNil(forKey: key) { return missing }
            let number = try values.decode(Double.self, forKey: key)
            guard let size = Int(exactly: number) else {
                throw LlamaConfigurationError(key: key.stringValue, "is \(number), which is not a size")
            }
            return size
        }
        func number(_ key: CodingKeys, default missing: Double) throws -> Float {
            Float(try values.decodeIfPresent(Double.self, forKey: key) ?? missing)
        }
        func flag(_ key: CodingKeys) throws -> Bool { try values.decodeIfPresent(Bool.self, forKey: key) ?? false }
        let heads = try size(.num_attention_heads)
        self.init(
            vocab_size: try size(.vocab_size), hidden_size: try size(.hidden_size),
            intermediate_size: try size(.intermediate_size), num_hidden_layers: try size(.num_hidden_layers),
            num_attention_heads: heads, num_key_value_heads: try size(.num_key_value_heads, default: heads),
            max_position_embeddings: try size(.max_position_embeddings, default: 2048),
            rms_norm_eps: try number(.rms_norm_eps, default: 1e-6),
            rope_theta: try number(.rope_theta, default: 10_000),
            rope_scaling: try values.decodeIfPresent(RopeScaling.self, forKey: .rope_scaling),
            attention_bias: try flag(.attention_bias), tie_word_embeddings: try flag(.tie_word_embeddings))
        try check()
    }

    /// Reads and checks a `config.json`, or the one in a folder.
    public init(contentsOf url: URL) throws(LlamaConfigurationError) {
        let file = url.hasDirectoryPath || url.pathExtension != "json" ? url.appending(path: "config.json") : url
        do {
            self = try JSONDecoder().decode(Self.self, from: try Self.contents(of: file))
        } catch {
            throw LlamaConfigurationError(file: file.path, from: error)
        }
    }
}
