import Checkpoints
import Llama
import Tensors
import TestModels
import TestSupport
import Testing

@Suite("LLaMA against a naive implementation in double precision")
struct LlamaNaiveTests {
    static let configurations: [LlamaConfiguration] = [
        .init(
            vocab_size: 61, hidden_size: 24, intermediate_size: 40, num_hidden_layers: 2, num_attention_heads: 4,
            max_position_embeddings: 200),
        .init(
            vocab_size: 50, hidden_size: 48, intermediate_size: 19, num_hidden_layers: 1, num_attention_heads: 8,
            num_key_value_heads: 2, max_position_embeddings: 200, rms_norm_eps: 1e-5, tie_word_embeddings: true),
        .init(
            vocab_size: 33, hidden_size: 40, intermediate_size: 64, num_hidden_layers: 3, num_attention_heads: 20,
            num_key_value_heads: 1, max_position_embeddings: 200, rope_theta: 1_000_000, attention_bias: true),
        .init(
            vocab_size: 17, hidden_size: 36, intermediate_size: 33, num_hidden_layers: 2, num_attention_heads: 2,
            num_key_value_heads: 2, max_position_embeddings: 200, rope_scaling: .init(factor: 2.5)),
        .init(
            vocab_size: 300, hidden_size: 160, intermediate_size: 96, num_hidden_layers: 1, num_attention_heads: 2,
            num_key_value_heads: 1, max_position_embeddings: 200),
    ]

    @Test(
        "logits at every position, over a page's border, for weights of each type",
        arguments: configurations.indices, [DType.float32, .float16, .bfloat16])
    func logits(index: Int, dtype: DType) throws {
        let seed = UInt64(index) * 10 + UInt64(dtype.size)
        let synthetic = try SyntheticModel(Self.configurations[index], seed: seed, dtype: dtype)
        defer { synthetic.remove() }
        let model = try synthetic.load()
        var generator = TestGenerator(seed: seed + 1)
        let count = 70
        let ids = (0..<count).map { _ in Int32.random(in: 0..<Int32(model.configuration.vocab_size), using: &generator)
        }
        let expected = NaiveLlama(c: model.configuration, weights: synthetic.weights).logits(ids).flatMap(\.self)

        var cache = LlamaCache(model.configuration)
        let scratch = LlamaScratch(model.configuration, block: 33)
        let logits = try model.outputs(ids, cache: &cache, scratch: scratch).logits.values
        let errors = zip(logits, expected).map { (a: Float, b: Double) -> Double in abs(Double(a) - b) }
        let error = errors.max() ?? .infinity
        #expect(logits.count == expected.count)
        #expect(error < 1e-4, "seed \(seed): largest error \(error)")
        #expect(expected.map(abs).max() ?? 0 > 0.5, "the logits say something")
    }
}
