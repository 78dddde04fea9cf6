import Foundation

/// What `text_encoder/config.json` says: a `CLIPTextModel` of transformers.
struct TextConfiguration: Sendable, Equatable {
    var hiddenSize: Int
    var intermediateSize: Int
    var layers: Int
    var heads: Int
    var vocabularySize: Int
    var positions: Int
    var epsilon: Float

    /// Reads and checks a `config.json`.
    init(contentsOf url: URL) throws(UnCLIPError) {
        let s = try Settings(url)
        try s.expect(["model_type": .text("clip_text_model"), "is_decoder": .flag(false)])
        hiddenSize = try s.integer("hidden_size", default: 512, in: 1...16384)
        intermediateSize = try s.integer("intermediate_size", default: 2048, in: 1...65536)
        layers = try s.integer("num_hidden_layers", default: 12, in: 1...256)
        heads = try s.integer("num_attention_heads", default: 8, in: 1...256)
        vocabularySize = try s.integer("vocab_size", default: 49408, in: 1...1_000_000)
        positions = try s.integer("max_position_embeddings", default: 77, in: 2...4096)
        epsilon = Float(try s.number("layer_norm_eps", default: 1e-5, in: 0...1))
        guard s.has("hidden_act"), try s.text("hidden_act", among: ["gelu"]) == "gelu" else {
            throw s.refusal("hidden_act", "is missing, which means \"quick_gelu\"; only \"gelu\" is supported")
        }
        // Ids that only generation and pooling look at, sizes of training, and what other networks of CLIP use.
        s.ignore(
            "architectures", "attention_dropout", "dropout", "bos_token_id", "eos_token_id", "pad_token_id",
            "initializer_factor", "initializer_range", "projection_dim", "torch_dtype", "dtype", "transformers_version")
        try s.finish()
        guard hiddenSize % heads == 0 else {
            throw s.refusal("hidden_size", "\(hiddenSize) is no multiple of \(heads) heads")
        }
    }
}
