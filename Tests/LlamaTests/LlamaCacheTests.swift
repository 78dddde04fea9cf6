import Checkpoints
import Llama
import Tensors
import TestModels
import TestSupport
import Testing

@Suite("Conversations: the same bits however the tokens come")
struct LlamaCacheTests {
    static let configuration = LlamaConfiguration(
        vocab_size: 97, hidden_size: 48, intermediate_size: 80, num_hidden_layers: 3, num_attention_heads: 6,
        num_key_value_heads: 3, max_position_embeddings: 256)

    /// A model, and ids for it.
    private func setUp(seed: UInt64, count: Int) throws -> (LlamaModel, [Int32], TestGenerator) {
        let synthetic = try SyntheticModel(Self.configuration, seed: seed, dtype: seed % 2 == 0 ? .float16 : .float32)
        defer { synthetic.remove() }
        var generator = TestGenerator(seed: seed &+ 1000)
        let ids = (0..<count).map { _ in Int32.random(in: 0..<97, using: &generator) }
        return (try synthetic.load(), ids, generator)
    }

    @Test("pieces of any sizes give the whole's logits to the last bit", arguments: [1, 2, 3, 4, 5, 6])
    func pieces(seed: UInt64) throws {
        var (model, ids, generator) = try setUp(seed: seed, count: 200)
        var whole = LlamaCache(model.configuration)
        let expected = try model.outputs(
            ids, cache: &whole, scratch: LlamaScratch(model.configuration, block: 200)
        ).logits.values
        var cache = LlamaCache(model.configuration)
        let scratch = LlamaScratch(model.configuration, block: Int.random(in: 1...70, using: &generator))
        var logits: [Float] = []
        while cache.length < ids.count {
            let longest = Bool.random(using: &generator) ? 1 : 90
            let end = min(ids.count, cache.length + Int.random(in: 1...longest, using: &generator))
            logits += try model.outputs(Array(ids[cache.length..<end]), cache: &cache, scratch: scratch).logits.values
        }
        #expect(logits == expected, "seed \(seed)")
    }

    @Test("forward leaves the last row of outputs, and its probabilities sum to one")
    func lastLogits() throws {
        let (model, ids, _) = try setUp(seed: 7, count: 50)
        var one = LlamaCache(model.configuration)
        var other = one
        let scratch = LlamaScratch(model.configuration, block: 16)
        let all = try model.outputs(ids, cache: &one, scratch: scratch).logits.values
        try model.forward(ids, cache: &other, scratch: scratch)
        let last = scratch.withLogits { Array($0) }
        #expect(last == Array(all.suffix(97)))
        let probabilities = (0..<97).map { scratch.probability(of: $0) }
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
        #expect(probabilities.max() == probabilities[Int(scratch.argmax)])
        try model.forward(ids[0], cache: &other, scratch: scratch, logits: .none)
        #expect(scratch.withLogits { Array($0) } == last, "nothing was asked for")
    }

    @Test("a rolled-back cache continues as a fresh one", arguments: [11, 12, 13, 14, 15])
    func rollback(seed: UInt64) throws {
        var (model, ids, generator) = try setUp(seed: seed, count: 180)
        let scratch = LlamaScratch(model.configuration)
        var cache = LlamaCache(model.configuration)
        var kept: [Int32] = []
        for _ in 0..<6 {
            let length = Int.random(in: 0...kept.count, using: &generator)
            cache.rollback(to: length)
            kept.removeLast(kept.count - length)
            let more = ids.shuffled(using: &generator).prefix(
                Int.random(in: 1...(250 - length), using: &generator) % 90 + 1)
            let piece = Array(more.prefix(256 - length))
            let logits = try model.outputs(piece, cache: &cache, scratch: scratch).logits.values
            kept += piece
            var fresh = LlamaCache(model.configuration)
            let expected = try model.outputs(kept, cache: &fresh, scratch: scratch).logits.values
            #expect(logits == Array(expected.suffix(logits.count)), "seed \(seed), \(length) tokens kept")
            #expect(cache.length == kept.count)
        }
        cache.reset()
        #expect(cache.length == 0 && cache.memoryInUse == 0)
        var fresh = LlamaCache(model.configuration)
        let again = try model.outputs(ids, cache: &cache, scratch: scratch).logits.values
        #expect(try again == model.outputs(ids, cache: &fresh, scratch: scratch).logits.values, "seed \(seed), reset")
    }

    @Test("forks go on without seeing each other", arguments: [21, 22, 23])
    func forks(seed: UInt64) throws {
        var (model, ids, generator) = try setUp(seed: seed, count: 120)
        let scratch = LlamaScratch(model.configuration)
        var conversations: [(ids: [Int32], cache: LlamaCache)] = [([], LlamaCache(model.configuration))]
        for _ in 0..<25 {
            let chosen = Int.random(in: 0..<conversations.count, using: &generator)
            if conversations.count < 5, Bool.random(using: &generator) {
                conversations.append(conversations[chosen])
                continue
            }
            let piece = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                ids.randomElement(using: &generator) ?? 0
            }
            let logits = try model.outputs(piece, cache: &conversations[chosen].cache, scratch: scratch).logits.values
            conversations[chosen].ids += piece
            var fresh = LlamaCache(model.configuration)
            let expected = try model.outputs(conversations[chosen].ids, cache: &fresh, scratch: scratch).logits.values
            #expect(logits == Array(expected.suffix(logits.count)), "seed \(seed)")
        }
    }

    @Test("what does not fit is refused, and changes nothing")
    func refusals() throws {
        let (model, ids, _) = try setUp(seed: 31, count: 40)
        let scratch = LlamaScratch(model.configuration)
        var cache = LlamaCache(model.configuration, capacity: 50)
        try model.forward(ids, cache: &cache, scratch: scratch)
        let before = scratch.withLogits { Array($0) }
        #expect(throws: LlamaError.contextExceeded(wanted: 51, capacity: 50)) {
            try model.forward(Array(ids.prefix(11)), cache: &cache, scratch: scratch)
        }
        for id in [Int32(97), -1, .max, .min] {
            #expect(throws: LlamaError.unknownToken(id: id, vocabulary: 97)) {
                try model.forward([0, id], cache: &cache, scratch: scratch)
            }
        }
        #expect(cache.length == 40)
        #expect(scratch.withLogits { Array($0) } == before)
        try model.forward([], cache: &cache, scratch: scratch)
        try model.forward(Array(ids.prefix(10)), cache: &cache, scratch: scratch)
        #expect(cache.length == 50)
        #expect(LlamaCache(model.configuration).capacity == 256)
        #expect(LlamaError.unknownToken(id: 97, vocabulary: 97).description.contains("97"))
    }
}
