import Checkpoints
import Foundation
import Llama
import Tensors
import TestSupport
import Testing

/// Every case of kind llama-hf that lies in the repository, by the rules of its compare.json.
@Suite("LLaMA against transformers 4.34.1")
struct LlamaGoldenTests {
    let folder = Golden.folder("llama-hf")
    let inputs: Checkpoint
    let expected: Checkpoint
    let rules: [String: Rule]
    let model: LlamaModel

    struct Rule: Decodable {
        var abs: Float?
        var exact: Bool?
    }
    private struct Rules: Decodable { let compare: [String: Rule] }
    private struct Case: Decodable {
        struct Beam: Decodable {
            struct End: Decodable { let eos_token_id: Int32 }
            let num_beams: Int
            let max_new_tokens: Int
            let min_new_tokens: Int
            let num_return_sequences: Int
            let length_penalty: Double
            let eos: End
        }
        let beam: Beam
    }

    init() throws {
        inputs = try .open(folder.appending(path: "inputs.safetensors"))
        expected = try .open(folder.appending(path: "expected.safetensors"))
        let contents = try Data(contentsOf: folder.appending(path: "compare.json"))
        rules = try JSONDecoder().decode(Rules.self, from: contents).compare
        model = try LlamaModel(folder: folder)
    }

    private func ids(_ name: String) throws -> [Int32] { try inputs.integers(name).values.map(Int32.init) }

    /// Holds a tensor to the case's rule for it.
    private func check(_ name: String, _ tensor: Tensor) throws {
        let reference = try expected.tensor(name)
        let limit = try #require(rules[name]?.abs, "a rule for \(name)")
        #expect(tensor.shape == reference.shape, "\(name)")
        let error = zip(tensor.values, reference.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(error <= limit, "\(name): largest error \(error)")
    }

    @Test("logits and hidden states of every prompt", arguments: ["prompt0", "prompt1", "prompt2"])
    func prompts(name: String) throws {
        var cache = LlamaCache(model.configuration)
        let scratch = LlamaScratch(model.configuration)
        let outputs = try model.outputs(
            try ids("\(name).ids"), cache: &cache, scratch: scratch, hiddenStates: true)
        try check("\(name).logits", outputs.logits)
        try check("\(name).hidden_after_layer1", outputs.hiddenStates[1])
        try check("\(name).hidden_final_normed", outputs.hiddenStates[model.configuration.num_hidden_layers])

        // The case's own cut: the same bits.
        var pieces: [Float] = []
        var chunked = LlamaCache(model.configuration)
        for count in try inputs.integers("\(name).chunks").values {
            let piece = Array(try ids("\(name).ids")[chunked.length...].prefix(count))
            pieces += try model.outputs(piece, cache: &chunked, scratch: scratch).logits.values
        }
        #expect(pieces == outputs.logits.values)
    }

    @Test("greedy continuation")
    func greedy() throws {
        var cache = LlamaCache(model.configuration)
        let expected = try expected.integers("greedy.ids").values.map(Int32.init)
        let ids = try model.greedy(
            ids("greedy.prompt_ids"), cache: &cache, scratch: LlamaScratch(model.configuration),
            maxNewTokens: expected.count)
        #expect(ids == expected)
    }

    private func beams(eos: Bool) throws -> [BeamSearch.Hypothesis] {
        let contents = try Data(contentsOf: folder.appending(path: "case.json"))
        let options = try JSONDecoder().decode(Case.self, from: contents).beam
        var search = BeamSearch(maxNewTokens: options.max_new_tokens)
        search.beams = options.num_beams
        search.lengthPenalty = options.length_penalty
        // Without an eos of the call's own, transformers falls back to generation_config.json's, which is 2, and does
        // not enforce min_new_tokens.
        search.eos = eos ? [options.eos.eos_token_id] : [2]
        search.minNewTokens = eos ? options.min_new_tokens : 0
        var cache = LlamaCache(model.configuration)
        return try search.run(
            ids("beam.prompt_ids"), on: model, cache: &cache, scratch: LlamaScratch(model.configuration),
            returning: options.num_return_sequences)
    }

    @Test("beam search without an end")
    func beamsWithoutEnd() throws {
        let found = try beams(eos: false)
        for (index, hypothesis) in found.enumerated() {
            let ids = try expected.integers("beam.no_eos.seq\(index)").values.map(Int32.init)
            #expect(hypothesis.ids == ids, "sequence \(index)")
        }
        try check("beam.no_eos.scores", Tensor(found.map(\.score), shape: [found.count]))
    }

    @Test("beam search in which finished sequences compete with running ones")
    func beamsWithEnd() throws {
        let found = try beams(eos: true)
        let (sequences, shape) = try expected.integers("beam.eos.sequences")
        let padded = found.flatMap { hypothesis -> [Int] in
            hypothesis.ids.map(Int.init) + Array(repeating: 0, count: shape[1] - hypothesis.ids.count)
        }
        #expect(padded == sequences)
        try check("beam.eos.scores", Tensor(found.map(\.score), shape: [found.count]))
    }

    @Test("the .bin shards hold the same model as the safetensors")
    func shards() throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: "llama-bin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: copy) }
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.lastPathComponent.hasPrefix("pytorch_model") || file.lastPathComponent == "config.json" {
            try FileManager.default.copyItem(at: file, to: copy.appending(path: file.lastPathComponent))
        }
        let other = try LlamaModel(folder: copy)
        let scratch = LlamaScratch(model.configuration)
        var (one, two) = (LlamaCache(model.configuration), LlamaCache(model.configuration))
        let prompt = try ids("prompt1.ids")
        let expected = try model.outputs(prompt, cache: &one, scratch: scratch).logits.values
        #expect(try other.outputs(prompt, cache: &two, scratch: scratch).logits.values == expected)
    }
}
