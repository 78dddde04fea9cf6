public import Checkpoints
public import Foundation
import Tensors

/// LLaMA-2 (Touvron et al., 2023): tokens in, logits of the next token out. The weights, which never change; what a
/// conversation is lives in a `LlamaCache`, and working memory in a `LlamaScratch`, so that any number of
/// conversations share one model. Computes what `LlamaForCausalLM` of transformers 4.34.1 computes, in fp32.
///
///     let model = try LlamaModel(folder: url)
///     var cache = LlamaCache(model.configuration)
///     var scratch = LlamaScratch(model.configuration)
///     try model.forward(prompt, cache: &cache, scratch: &scratch)
///     let next = scratch.argmax
///
/// A call's results do not depend, to the last bit, on how the tokens before it were cut into calls.
public struct LlamaModel: Sendable {
    /// What official folders hold beside the network: the rotary frequencies, which old releases saved as buffers and
    /// everybody computes.
    public static let passedOver: [TensorPattern] = ["model.layers.*.self_attn.rotary_emb.inv_freq"]

    /// The model's shape.
    public let configuration: LlamaConfiguration
    let embed_tokens: LinearWeight
    let layers: [LlamaDecoderLayer]
    let norm: LlamaRMSNorm
    let lm_head: LinearWeight
    let rotary_emb: RotaryEmbedding

    /// Loads a Hugging Face folder: `config.json`, and the weights as safetensors or `.bin` files, in shards or whole.
    public init(folder: URL) throws {
        let configuration = try LlamaConfiguration(contentsOf: folder.appending(path: "config.json"))
        try self.init(configuration, Checkpoint.open(folder))
    }

    /// Loads a checkpoint strictly: every tensor is there in the right shape, and none is left over.
    public init(_ configuration: LlamaConfiguration, _ checkpoint: Checkpoint) throws {
        try configuration.check()
        // Tied files made by torch hold the shared matrix under both names; the embedding's is the one that counts.
        let tied = configuration.tie_word_embeddings
        let weights = Weights(checkpoint, passingOver: Self.passedOver + (tied ? ["lm_head.weight"] : []))
        let (model, vocabulary, hidden) = (weights["model"], configuration.vocab_size, configuration.hidden_size)
        self.configuration = configuration
        embed_tokens = try LinearWeight(model["embed_tokens"], outputs: vocabulary, inputs: hidden)
        layers = try (0..<configuration.num_hidden_layers).map { index in
            try LlamaDecoderLayer(model["layers"][index], configuration)
        }
        norm = try LlamaRMSNorm(model["norm"], configuration)
        lm_head = tied ? embed_tokens : try LinearWeight(weights["lm_head"], outputs: vocabulary, inputs: hidden)
        rotary_emb = RotaryEmbedding(configuration)
        try weights.requireAllUsed()
    }
}
