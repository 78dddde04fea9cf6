import AnyGPT
import Checkpoints
import Foundation
import Tensors

/// Cases of kind sampling: what is done to the logits of the next token before one is drawn. Each of the settings in
/// `cases` of `case.json` has tensors NAME.scores, NAME.probs and perhaps NAME.drawn.
enum SamplingKind {
    /// Settings, with what `GenerationConfig` says of beams.
    private struct Settings: Decodable {
        let sampling: SamplingSettings
        let beams: Int

        private enum CodingKeys: String, CodingKey { case beams = "num_beams" }

        init(from decoder: any Decoder) throws {
            sampling = try SamplingSettings(from: decoder)
            beams = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Int.self, forKey: .beams) ?? 1
        }
    }

    private struct CaseFile: Decodable {
        struct Entry: Decodable { let config: Settings }
        let cases: [String: Entry]
    }

    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let inputs = try Inputs(try golden.inputs())
        let file = try JSON.decode(CaseFile.self, from: golden.file("case.json"))
        for (name, entry) in file.cases.sorted(by: { isBefore($0.key, $1.key) }) {
            verification.stage(name)
            try verify(name, entry.config, inputs, verification)
        }
    }

    private struct Inputs {
        /// `[rows][vocabulary]`
        let logits: [[Float]]
        /// The ids so far, and how many of them are the prompt's.
        let previous: [[Int32]]
        let promptLengths: [Int]
        /// `[rows][draws]`; empty when nothing is drawn.
        let uniforms: [[Float]]
        let vocabulary: Int

        init(_ checkpoint: Checkpoint) throws {
            func refuse(_ name: String, _ reason: String) -> CheckpointError {
                CheckpointError(file: checkpoint.url.path, tensor: name, reason: reason)
            }
            func rows(_ name: String) throws -> [[Float]] {
                let tensor = try checkpoint.tensor(name)
                guard tensor.shape.count == 2, tensor.shape[1] > 0 else {
                    throw refuse(name, "has shape \(tensor.shape), expected [row, value]")
                }
                return (0..<tensor.rows).map { tensor[rows: $0..<($0 + 1)].values }
            }
            logits = try rows("logits")
            let vocabulary = logits.first?.count ?? 0
            self.vocabulary = vocabulary
            let ids = try checkpoint.ids("previous_ids")
            guard !logits.isEmpty, ids.count % logits.count == 0 else {
                throw refuse("previous_ids", "holds \(ids.count) ids for \(logits.count) rows")
            }
            let width = ids.count / logits.count
            previous = (0..<logits.count).map { row in ids[(row * width)..<((row + 1) * width)].filter { $0 >= 0 } }
            if let id = ids.first(where: { $0 >= vocabulary }) {
                throw refuse("previous_ids", "holds id \(id) of \(vocabulary)")
            }
            promptLengths = try checkpoint.integers("prompt_length").values
            guard promptLengths.count == logits.count else {
                throw refuse("prompt_length", "holds \(promptLengths.count) lengths for \(logits.count) rows")
            }
            uniforms = checkpoint.info("uniforms") == nil ? [] : try rows("uniforms")
        }
    }

    private static func verify(
        _ name: String, _ settings: Settings, _ inputs: Inputs, _ verification: Verification
    ) throws {
        let golden = verification.golden
        let expected = verification.expects("\(name).scores") ? try golden.expected.array("\(name).scores").floats : []
        var sampler = Sampler(vocabularySize: inputs.vocabulary, seed: 0)
        var scores: [Float] = []
        var tiedRows: Set<Int> = []
        for (row, logits) in inputs.logits.enumerated() {
            var history = TokenHistory(vocabularySize: inputs.vocabulary)
            history.record(inputs.previous[row])
            // Beam search samples log-probabilities; no beam has a score yet.
            let offered = settings.beams > 1 ? logSoftmax(logits) : logits
            var result = sampler.scores(
                offered.span, history: history, generated: inputs.previous[row].count - inputs.promptLengths[row],
                settings: settings.sampling)
            let range = (row * inputs.vocabulary)..<((row + 1) * inputs.vocabulary)
            if settings.sampling.topP < 1, range.upperBound <= expected.count,
                BorderTies.align(&result, with: Array(expected[range]))
            {
                tiedRows.insert(row)
            }
            scores += result
        }
        let shape = [inputs.logits.count, inputs.vocabulary]
        try verification.compare("\(name).scores", TypedArray(scores, shape: shape))
        if !tiedRows.isEmpty {
            verification.annotate(
                "\(name).scores", "equal scores at the border in rows \(tiedRows.sorted()): other ones of them stay")
        }
        let rows = inputs.logits.indices.map { row in
            Array(scores[(row * inputs.vocabulary)..<((row + 1) * inputs.vocabulary)])
        }
        try verification.compare("\(name).probs", TypedArray(rows.flatMap(softmax), shape: shape))
        guard verification.expects("\(name).drawn"), inputs.uniforms.count == rows.count else { return }
        let drawn = zip(rows, inputs.uniforms).flatMap { scores, uniforms in
            uniforms.map { Int(Sampler.draw(Double($0), from: scores.span)) }
        }
        try verification.compare("\(name).drawn", TypedArray(drawn, shape: [rows.count, inputs.uniforms[0].count]))
    }

    private static func softmax(_ scores: [Float]) -> [Float] {
        let highest = scores.max() ?? 0
        let weights = scores.map { exp(Double($0 - highest)) }
        let total = weights.reduce(0, +)
        return weights.map { Float($0 / total) }
    }

    private static func logSoftmax(_ logits: [Float]) -> [Float] {
        let highest = Double(logits.max() ?? 0)
        let sum = logits.reduce(0) { $0 + exp(Double($1) - highest) }
        return logits.map { Float(Double($0) - highest - log(sum)) }
    }
}

/// Of equal scores at the border of top-p, a sort decides which ones stay: all that can be asked is that as many do.
enum BorderTies {
    /// Scores that a division may have rounded differently are equal.
    static let tolerance: Float = 1e-5

    /// Gives the scores that stay to the same tokens as in `expected`, as far as they are equal ones at the border.
    ///
    /// - Returns: whether anything had to be exchanged.
    static func align(_ scores: inout [Float], with expected: [Float]) -> Bool {
        guard scores.count == expected.count else { return false }
        let ours = scores.indices.filter { scores[$0] > -.infinity && expected[$0] == -.infinity }
        let theirs = scores.indices.filter { scores[$0] == -.infinity && expected[$0] > -.infinity }
        let border = scores.filter { $0 > -.infinity }.min() ?? 0
        guard !ours.isEmpty, ours.count == theirs.count, ours.allSatisfy({ scores[$0] == border }),
            theirs.allSatisfy({ abs(expected[$0] - border) <= tolerance })
        else { return false }
        for (from, to) in zip(ours, theirs) { scores.swapAt(from, to) }
        return true
    }
}
