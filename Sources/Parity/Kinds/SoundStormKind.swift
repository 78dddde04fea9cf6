import Checkpoints
import Foundation
import SoundStorm
import Tensors

/// Cases of kind soundstorm: one forward pass (`forward.…`) and generations, `stepsS.plain.…`, `stepsS.prompt.…` and
/// `stepsS_sample.…`, with recorded noise.
enum SoundStormKind {
    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let model = try model(in: golden.folder)
        let inputs = try golden.inputs()
        try verifyForward(model, inputs, verification)
        try verifyGenerations(model, inputs, verification)
    }

    /// The network in a case's folder, whose configuration `case.json` tells, or in any other folder.
    static func model(in folder: URL) throws -> SoundStormModel {
        struct CaseFile: Decodable { let config: SoundStormDescription }
        let file = folder.appending(path: "case.json")
        let about = FileManager.default.fileExists(atPath: file.path) ? try JSON.read(file) : .null
        let weights = GoldenCase.modelFile("speechtokenizer_soundstorm_mls.pt", in: folder, about) {
            !$0.hasSuffix(".json")
        }
        guard about["config"] != nil else { return try SoundStormModel(contentsOf: weights) }
        return try SoundStormModel(contentsOf: weights, described: JSON.decode(CaseFile.self, from: file).config)
    }

    /// Recorded noise, 16 bits for each number.
    static func noise(_ inputs: Checkpoint) throws -> RecordedNoise {
        let (values, shape) = try inputs.integers("noise")
        let numbers = values.compactMap(UInt16.init(exactly:))
        guard numbers.count == values.count else {
            throw CheckpointError(file: inputs.url.path, tensor: "noise", reason: "holds numbers beyond 16 bits")
        }
        return try RecordedNoise(numbers, shape: shape)
    }

    private static func grid(_ checkpoint: Checkpoint, _ name: String) throws -> TokenGrid {
        let (values, _, columns) = try checkpoint.matrix(name)
        return TokenGrid(levels: columns, values: values)
    }

    // MARK: One pass

    private static func verifyForward(
        _ model: SoundStormModel, _ inputs: Checkpoint, _ verification: Verification
    ) throws {
        guard inputs.info("forward.tokens") != nil else { return }
        verification.stage("one pass")
        let tokens = try grid(inputs, "forward.tokens")
        let condition = try inputs.integers("forward.condition_tokens").values
        var stages: [(name: String, tensor: Tensor)] = []
        let logits = try model.forward(tokens: tokens, condition: condition) { stage, tensor in
            switch stage {
            case .inputToConformer: stages.append(("forward.input_to_conformer", tensor))
            case .afterBlock(let index): stages.append(("forward.after_block\(index)", tensor))
            case .embeddings: stages.append(("forward.embeddings", tensor))
            }
        }
        for (name, tensor) in stages { try verification.compare(name, tensor) }
        try verification.compare("forward.logits", logits)

        for tail in verification.expectedNames(after: "forward.logits_last") {
            guard let match = tail.wholeMatch(of: /(\d{1,9})_padded/), let hidden = Int(match.1) else { continue }
            verification.stage("one pass without the last \(hidden) frames")
            let visible = condition.indices.map { $0 < condition.count - hidden }
            let padded = try model.forward(tokens: tokens, condition: condition, visible: visible)
            try comparePadded("forward.logits_last\(tail)", padded, model.configuration.levels, verification)
        }
    }

    /// Of the padded pass only the frames that `padded_rows` lists are expected.
    private static func comparePadded(
        _ name: String, _ logits: Tensor, _ levels: Int, _ verification: Verification
    ) throws {
        guard verification.expects("padded_rows") else {
            return verification.fail(name, "padded_rows, which says which frames these are, is missing")
        }
        let rows = try verification.golden.expected.integers("padded_rows").values
        verification.pass(over: "padded_rows", "says which frames follow in \(name)")
        guard !rows.isEmpty, rows.allSatisfy({ 0..<(logits.rows / levels) ~= $0 }) else {
            return verification.fail(name, "padded_rows lists frames that are not there: \(rows)")
        }
        try verification.compare(
            name, Tensor.concatenated(rows.map { logits[rows: ($0 * levels)..<(($0 + 1) * levels)] }))
    }

    // MARK: Generations

    private static func verifyGenerations(
        _ model: SoundStormModel, _ inputs: Checkpoint, _ verification: Verification
    ) throws {
        let runs = Set(verification.expectedNames(after: "steps").compactMap(GenerationName.init))
        guard !runs.isEmpty else { return }
        let semantic = try inputs.integers("semantic_tokens").values
        let noise = try noise(inputs)
        for run in runs.sorted(by: { isBefore($0.name, $1.name) }) {
            verification.stage(run.name)
            var passes: [TokenGrid] = []
            let codes = try model.generate(
                semantic: semantic, prompt: run.isPrompted ? grid(inputs, "prompt_tokens") : nil,
                options: GenerationOptions(steps: run.steps, greedy: !run.samples), noise: noise,
                onPass: { passes.append($0) })
            let frames = passes.first?.frames ?? 0
            try verification.compare(
                "\(run.name).inputs_of_passes",
                TypedArray(passes.flatMap(\.values), shape: [passes.count, frames, model.configuration.levels]))
            try verification.compare(
                "\(run.name).out", TypedArray(codes.values, shape: [codes.frames, codes.levels]))
        }
    }
}

/// What the name of a generation says: `steps4_sample.prompt`.
private struct GenerationName: Hashable {
    let steps: Int
    let samples: Bool
    let isPrompted: Bool

    /// Reads a tensor's name behind the word "steps".
    init?(_ tail: String) {
        guard let match = tail.wholeMatch(of: /(\d{1,9})(_sample)?\.(plain|prompt)\..+/), let steps = Int(match.1)
        else { return nil }
        self.steps = steps
        samples = match.2 != nil
        isPrompted = match.3 == "prompt"
    }

    var name: String { "steps\(steps)\(samples ? "_sample" : "").\(isPrompted ? "prompt" : "plain")" }
}
