import Checkpoints
import Foundation
import Llama
import Tensors

/// Cases of kind llama-hf: a Hugging Face folder with its tokenizer. Inputs PROMPT.ids (and PROMPT.chunks) give
/// PROMPT.logits and PROMPT.hidden_…; an input RUN.prompt_ids gives RUN.ids, the greedy continuation, or the beams
/// RUN.VARIANT.….
enum LlamaKind {
    /// How much the logits of a prompt in pieces may differ from those of the whole, by the cases' own recommendation.
    private static let chunkedLimit = 2e-4

    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let inputs = try golden.inputs()
        let configuration = try LlamaConfiguration(contentsOf: golden.file("config.json"))
        for (index, file) in try weightFiles(golden).enumerated() {
            verification.stage("loading \(file)")
            let model = try LlamaModel(configuration, Checkpoint.open(golden.file(file)))
            if index == 0 {
                try verifyPrompts(model, inputs, verification)
                try verifyGreedy(model, inputs, verification)
                try LlamaBeams(verification).verify(model, inputs)
            } else {
                try verifyOther(model, file, inputs, verification)
            }
        }
        try TokenizerStrings(verification).verify()
    }

    /// The weights in each of the two formats that the folder has.
    private static func weightFiles(_ golden: GoldenCase) throws -> [String] {
        let formats = [
            ["model.safetensors", "model.safetensors.index.json"],
            ["pytorch_model.bin", "pytorch_model.bin.index.json"],
        ]
        let found = formats.compactMap { $0.first(where: golden.has) }
        guard !found.isEmpty else {
            throw CaseError(
                "verify", golden.folder.path, "it has no weights: none of \(formats.joined().joined(separator: ", "))")
        }
        return found
    }

    private static func prompts(_ inputs: Checkpoint, _ verification: Verification) -> [String] {
        inputs.names.sorted(by: isBefore).filter { $0.hasSuffix(".ids") }.map { String($0.dropLast(".ids".count)) }
    }

    private static func verifyPrompts(
        _ model: LlamaModel, _ inputs: Checkpoint, _ verification: Verification
    ) throws {
        let scratch = LlamaScratch(model.configuration)
        for prompt in prompts(inputs, verification) {
            verification.stage(prompt)
            let ids = try inputs.ids("\(prompt).ids")
            var cache = LlamaCache(model.configuration)
            let outputs = try model.outputs(ids, cache: &cache, scratch: scratch, hiddenStates: true)
            try verification.compare("\(prompt).logits", outputs.logits)
            for (layer, state) in outputs.hiddenStates.enumerated() {
                try verification.compare("\(prompt).hidden_after_layer\(layer)", state)
            }
            if let last = outputs.hiddenStates.last {
                try verification.compare("\(prompt).hidden_final_normed", last)
            }
            guard inputs.info("\(prompt).chunks") != nil else { continue }
            let chunks = try inputs.integers("\(prompt).chunks").values
            guard chunks.allSatisfy({ 0...ids.count ~= $0 }), chunks.reduce(0, +) == ids.count else {
                throw CheckpointError(
                    file: inputs.url.path, tensor: "\(prompt).chunks", reason: "does not add up to \(ids.count) ids")
            }
            verification.stage("\(prompt) in pieces")
            var pieces: [Tensor] = []
            var pieced = LlamaCache(model.configuration)
            for count in chunks where count > 0 {
                let piece = Array(ids[pieced.length..<(pieced.length + count)])
                pieces.append(try model.outputs(piece, cache: &pieced, scratch: scratch).logits)
            }
            let logits = pieces.isEmpty ? outputs.logits : Tensor.concatenated(pieces)
            verification.check(
                "\(prompt).logits (in pieces as whole)", .absolute(chunkedLimit),
                expected: TypedArray(outputs.logits.values, shape: outputs.logits.shape),
                actual: TypedArray(logits.values, shape: logits.shape))
        }
    }

    private static func verifyGreedy(_ model: LlamaModel, _ inputs: Checkpoint, _ verification: Verification) throws {
        for input in inputs.names.sorted(by: isBefore) where input.hasSuffix(".prompt_ids") {
            let run = String(input.dropLast(".prompt_ids".count))
            guard let expected = verification.golden.expected.info("\(run).ids") else { continue }
            verification.stage(run)
            var cache = LlamaCache(model.configuration)
            let ids = try model.greedy(
                inputs.ids(input), cache: &cache, scratch: LlamaScratch(model.configuration),
                maxNewTokens: expected.shape.reduce(1, *))
            try verification.compare("\(run).ids", TypedArray(ids: ids))
        }
    }

    /// The same prompts with the weights out of the other format, by the same rules.
    private static func verifyOther(
        _ model: LlamaModel, _ file: String, _ inputs: Checkpoint, _ verification: Verification
    ) throws {
        let scratch = LlamaScratch(model.configuration)
        for prompt in prompts(inputs, verification) {
            let name = "\(prompt).logits"
            guard verification.expects(name), let rule = verification.golden.rules[name] else { continue }
            verification.stage("\(prompt), \(file)")
            var cache = LlamaCache(model.configuration)
            let logits = try model.outputs(inputs.ids("\(prompt).ids"), cache: &cache, scratch: scratch).logits
            verification.check(
                "\(name) (\(file))", rule, expected: try verification.golden.expected.array(name),
                actual: TypedArray(logits.values, shape: logits.shape))
        }
    }
}
