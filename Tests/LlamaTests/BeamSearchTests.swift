import Foundation
import Llama
import Tensors
import TestModels
import TestSupport
import Testing

@Suite("Beam search")
struct BeamSearchTests {
    static let configuration = LlamaConfiguration(
        vocab_size: 23, hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 4,
        max_position_embeddings: 300)

    private func model(_ seed: UInt64) throws -> LlamaModel {
        let synthetic = try SyntheticModel(Self.configuration, seed: seed)
        defer { synthetic.remove() }
        return try synthetic.load()
    }

    /// The log-probability of `ids` after `prompt`, read in one piece into an empty cache.
    private func logProbability(_ ids: [Int32], after prompt: [Int32], _ model: LlamaModel) throws -> Double {
        var cache = LlamaCache(model.configuration)
        let scratch = LlamaScratch(model.configuration)
        let logits = try model.outputs(prompt + ids, cache: &cache, scratch: scratch).logits
        return ids.indices.reduce(0) { sum, index in
            let row = logits[rows: (prompt.count + index - 1)..<(prompt.count + index)].values.map(Double.init)
            return sum + row[Int(ids[index])] - log(row.reduce(0) { $0 + exp($1) })
        }
    }

    @Test("scores are what the model gives the sequences, which differ and are sorted", arguments: 1...6)
    func scores(seed: UInt64) throws {
        let model = try model(seed)
        var generator = TestGenerator(seed: seed)
        // Long enough that beams fork inside a page, at its end and after it.
        let prompt = (0..<Int.random(in: 50...64, using: &generator)).map { _ in
            Int32.random(in: 0..<23, using: &generator)
        }
        var search = BeamSearch(maxNewTokens: 20)
        search.beams = 4
        search.eos = seed % 2 == 0 ? [3, 5] : [7]
        search.minNewTokens = 4
        search.lengthPenalty = [1, 0.6, 2][Int(seed % 3)]
        search.earlyStopping = [.heuristic, .atOnce, .never][Int(seed % 3)]
        var cache = LlamaCache(model.configuration)
        let found = try search.run(
            prompt, on: model, cache: &cache, scratch: LlamaScratch(model.configuration), returning: 4)
        #expect(found.count == 4 && Set(found.map(\.ids)).count == 4)
        #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
        #expect(cache.length == prompt.count)
        let longest = found.map(\.ids.count).max() ?? 0
        for hypothesis in found {
            let ended = search.eos.contains(hypothesis.ids.last ?? 0)
            #expect(ended || hypothesis.ids.count == longest)
            #expect(!hypothesis.ids.prefix(4).contains(where: search.eos.contains), "seed \(seed)")
            guard hypothesis.ids.count <= 20, search.eos.count == 1 || !ended else { continue }
            let length = prompt.count + hypothesis.ids.count - (ended ? 1 : 0)
            let expected =
                try logProbability(hypothesis.ids, after: prompt, model)
                / pow(Double(length), search.lengthPenalty)
            #expect(abs(Double(hypothesis.score) - expected) < 1e-5, "seed \(seed)")
        }
    }

    @Test("with as many beams as there are prefixes it finds what trying everything finds", arguments: [31, 32, 33])
    func exhaustive(seed: UInt64) throws {
        let model = try model(seed)
        let prompt: [Int32] = [1, 2, 3]
        var search = BeamSearch(maxNewTokens: 2)
        search.beams = 23
        var cache = LlamaCache(model.configuration)
        let found = try search.run(prompt, on: model, cache: &cache, scratch: LlamaScratch(model.configuration))
        var best: (score: Double, ids: [Int32]) = (-.infinity, [])
        for first in 0..<Int32(23) {
            for second in 0..<Int32(23) {
                let score = try logProbability([first, second], after: prompt, model)
                if score > best.score { best = (score, [first, second]) }
            }
        }
        #expect(found[0].ids == best.ids, "seed \(seed)")
        #expect(abs(Double(found[0].score) - best.score / 5) < 1e-5)
    }

    @Test("one beam is the greedy search", arguments: [41, 42, 43])
    func oneBeam(seed: UInt64) throws {
        let model = try model(seed)
        let scratch = LlamaScratch(model.configuration)
        var search = BeamSearch(maxNewTokens: 30)
        search.beams = 1
        var (one, two) = (LlamaCache(model.configuration), LlamaCache(model.configuration))
        let found = try search.run([4, 5], on: model, cache: &one, scratch: scratch)
        #expect(try found[0].ids == model.greedy([4, 5], cache: &two, scratch: scratch, maxNewTokens: 30))
    }

    @Test("tokens that the cache already holds count as the prompt's")
    func continued() throws {
        let model = try model(51)
        let scratch = LlamaScratch(model.configuration)
        let search = BeamSearch(maxNewTokens: 6)
        var (whole, parts) = (LlamaCache(model.configuration), LlamaCache(model.configuration))
        let expected = try search.run([1, 2, 3, 4, 5], on: model, cache: &whole, scratch: scratch, returning: 5)
        try model.forward([1, 2, 3], cache: &parts, scratch: scratch, logits: .none)
        #expect(try search.run([4, 5], on: model, cache: &parts, scratch: scratch, returning: 5) == expected)
    }

    @Test("searches that cannot be made are refused")
    func refusals() throws {
        let model = try model(61)
        let scratch = LlamaScratch(model.configuration)
        func run(_ prompt: [Int32] = [1], returning count: Int = 1, _ change: (inout BeamSearch) -> Void) -> (
            any Error
        )? {
            var search = BeamSearch(maxNewTokens: 5)
            change(&search)
            var cache = LlamaCache(model.configuration)
            do {
                _ = try search.run(prompt, on: model, cache: &cache, scratch: scratch, returning: count)
                return nil
            } catch {
                return error
            }
        }
        #expect(run { _ in } == nil)
        #expect(run([]) { _ in } is LlamaError)
        #expect(run([99]) { _ in } is LlamaError)
        #expect(run(returning: 6) { _ in } is LlamaError)
        #expect(run { $0.beams = 0 } is LlamaError)
        #expect(run { $0.beams = 1 << 40 } is LlamaError)
        #expect(run { $0.maxNewTokens = 0 } is LlamaError)
        #expect(run { $0.lengthPenalty = .nan } is LlamaError)
        #expect(run { $0.eos = [23] } is LlamaError)
        #expect(run { $0.eos = Array(0..<23) } is LlamaError)
        #expect(run { $0.maxNewTokens = .max } is LlamaError)
    }
}
