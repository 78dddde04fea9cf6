import Foundation
import TestSupport
import Testing

@testable import AnyGPT

/// One case of the golden sampling folder: a generation config and the name of its tensors.
struct SamplingCase: CustomTestStringConvertible {
    let name: String
    let settings: SamplingSettings
    let beams: Bool

    var testDescription: String { name }

    static let all: [SamplingCase] = {
        struct File: Decodable {
            struct Case: Decodable {
                struct Beams: Decodable {
                    let num_beams: Int?
                }

                let settings: SamplingSettings
                let beams: Beams

                enum CodingKeys: String, CodingKey {
                    case config
                }

                init(from decoder: any Decoder) throws {
                    let values = try decoder.container(keyedBy: CodingKeys.self)
                    settings = try values.decode(SamplingSettings.self, forKey: .config)
                    beams = try values.decode(Beams.self, forKey: .config)
                }
            }

            let cases: [String: Case]
        }
        guard let data = try? Data(contentsOf: Golden.file("sampling", "case.json")),
            let file = try? JSONDecoder().decode(File.self, from: data)
        else { return [] }
        return file.cases.map { name, value in
            SamplingCase(name: name, settings: value.settings, beams: (value.beams.num_beams ?? 1) > 1)
        }
    }()
}

@Suite struct SamplerTests {
    @Test func everyGoldenCaseIsRead() {
        #expect(SamplingCase.all.count == 15)
    }

    @Test(arguments: SamplingCase.all)
    func scoresAndDrawsAreThoseOfTheReference(sampling: SamplingCase) throws {
        let inputs = try GoldenTensors(Golden.file("sampling", "inputs.safetensors"))
        let expected = try GoldenTensors(Golden.file("sampling", "expected.safetensors"))
        let logits = try inputs.rows("logits", of: Float.self)
        let previous = try inputs.rows("previous_ids", of: Int32.self)
        let promptLength = try inputs.rows("prompt_length", of: Int32.self)
        let scores = try expected.rows("\(sampling.name).scores", of: Float.self)
        let probabilities = try expected.rows("\(sampling.name).probs", of: Float.self)
        var sampler = Sampler(vocabularySize: 600, seed: 0)
        for row in logits.indices {
            var history = TokenHistory(vocabularySize: 600)
            let ids = previous[row].filter { $0 >= 0 }
            history.record(ids)
            let input = sampling.beams ? logSoftmax(logits[row]) : logits[row]
            let result = sampler.scores(
                input.span, history: history, generated: ids.count - Int(promptLength[row][0]),
                settings: sampling.settings)
            if row >= 6, sampling.settings.topP < 1 {
                // Equal logits at the border: which of them stay is the sort's choice.
                #expect(result.count { $0 > -.infinity } == scores[row].count { $0 > -.infinity })
                expectClose(softmax(result).sorted(), probabilities[row].sorted(), 1e-6, "row \(row)")
                continue
            }
            #expect(result.map { $0 == -.infinity } == scores[row].map { $0 == -.infinity }, "row \(row)")
            expectClose(result, scores[row], 1e-5, "row \(row)")
            expectClose(softmax(result), probabilities[row], 1e-6, "row \(row)")
            guard ["all", "official_speech", "top_p"].contains(sampling.name) else { continue }
            let uniforms = try inputs.rows("uniforms", of: Float.self)[row]
            let drawn = try expected.rows("\(sampling.name).drawn", of: Int32.self)[row]
            let gaps = try expected.rows("\(sampling.name).draw_gap", of: Float.self)[row]
            for draw in uniforms.indices where gaps[draw] >= 1e-6 {
                #expect(Sampler.draw(Double(uniforms[draw]), from: result.span) == drawn[draw], "row \(row)")
            }
        }
    }

    private func expectClose(_ left: [Float], _ right: [Float], _ tolerance: Float, _ comment: Comment) {
        let worst = zip(left, right).map { $0 == $1 ? 0 : abs($0 - $1) }.max() ?? 0
        #expect(left.count == right.count && worst <= tolerance, comment)
    }

    private func softmax(_ scores: [Float]) -> [Float] {
        let highest = scores.max() ?? 0
        let weights = scores.map { exp(Double($0 - highest)) }
        let total = weights.reduce(0, +)
        return weights.map { Float($0 / total) }
    }

    private func logSoftmax(_ logits: [Float]) -> [Float] {
        let highest = Double(logits.max() ?? 0)
        let sum = logits.reduce(0) { $0 + exp(Double($1) - highest) }
        return logits.map { Float(Double($0) - highest - log(sum)) }
    }

    @Test func onlyAllowedTokensAreDrawn() {
        let seed: UInt64 = 11
        var generator = TestGenerator(seed: seed)
        var sampler = Sampler(vocabularySize: 300, seed: seed)
        var settings = SamplingSettings()
        for _ in 0..<500 {
            let logits = generator.normal(300)
            let allowed = TokenSet(ids: (0..<5).map { _ in Int32.random(in: 0..<300, using: &generator) })
            settings.topK = Int.random(in: 0...8, using: &generator)
            settings.topP = Double.random(in: 0.01...1, using: &generator)
            settings.doSample = Bool.random(using: &generator)
            let id = sampler.next(
                logits.span, allowed: allowed, history: TokenHistory(vocabularySize: 300), generated: 0,
                settings: settings)
            #expect(allowed.contains(id), "seed \(seed)")
        }
    }

    /// What transformers 4.34.1 keeps of 60 equal scores (torch on a processor): 6 times 1/60 in fp32 is above 1/10.
    @Test(arguments: [(0.9, 55), (0.95, 58), (0.5, 30), (0.05, 4), (0.8, 49), (0.85, 51)])
    func equalScoresAreCountedAsTorchRoundsThem(topP: Double, kept: Int) {
        var settings = SamplingSettings()
        (settings.topK, settings.topP) = (0, topP)
        var sampler = Sampler(vocabularySize: 60, seed: 0)
        let scores = sampler.scores(
            [Float](repeating: 3.5, count: 60).span, history: TokenHistory(vocabularySize: 60), generated: 0,
            settings: settings)
        #expect(scores.count { $0 > -.infinity } == kept)
    }

    @Test func drawsFollowTheProbabilities() {
        let logits = [Float](arrayLiteral: log(0.1), log(0.2), log(0.3), log(0.4))
        var sampler = Sampler(vocabularySize: 4, seed: 3)
        var counts = [0, 0, 0, 0]
        let history = TokenHistory(vocabularySize: 4)
        for _ in 0..<40_000 {
            let id = sampler.next(
                logits.span, allowed: nil, history: history, generated: 0, settings: SamplingSettings())
            counts[Int(id)] += 1
        }
        for (count, share) in zip(counts, [0.1, 0.2, 0.3, 0.4]) {
            #expect(abs(Double(count) / 40_000 - share) < 0.01)
        }
    }

    @Test func greedyTakesTheHighestAfterThePenalty() {
        var settings = SamplingSettings()
        settings.doSample = false
        settings.repetitionPenalty = 2
        var history = TokenHistory(vocabularySize: 3)
        history.record([1, 1])
        var sampler = Sampler(vocabularySize: 3, seed: 0)
        let logits: [Float] = [1.5, 2, -1]
        #expect(sampler.next(logits.span, allowed: nil, history: history, generated: 0, settings: settings) == 0)
        history.forget(1)
        #expect(sampler.next(logits.span, allowed: nil, history: history, generated: 0, settings: settings) == 0)
        history.forget(1)
        #expect(sampler.next(logits.span, allowed: nil, history: history, generated: 0, settings: settings) == 1)
    }

    @Test func logitsThatAreNoNumbersDrawAnAllowedToken() {
        var sampler = Sampler(vocabularySize: 4, seed: 0)
        let logits = [Float](repeating: .nan, count: 4)
        for topP in [1, 0.5] {
            var settings = SamplingSettings()
            settings.topP = topP
            let id = sampler.next(
                logits.span, allowed: TokenSet([2..<4]), history: TokenHistory(vocabularySize: 4), generated: 0,
                settings: settings)
            #expect(id == 2)
        }
    }

    @Test func theGeneratorIsXoshiro256StarStar() {
        var generator = SeededGenerator(seed: 42)
        #expect(
            (0..<4).map { _ in generator.next() } == [
                0x1578_0B2E_0C2E_C716, 0x6104_D986_6D11_3A7E, 0xAE17_5332_39E4_99A1, 0xECB8_AD47_03B3_60A1,
            ])
        #expect((0..<1000).allSatisfy { _ in (0..<1).contains(generator.nextUnit()) })
    }

    @Test func settingsAreReadWithTheDefaultsOfTheReference() throws {
        let settings = try JSONDecoder().decode(
            SamplingSettings.self, from: Data(#"{"do_sample": true, "temperature": 1, "vc_steps": 4}"#.utf8))
        #expect(settings == SamplingSettings())
        for bad in [#"{"temperature": 0}"#, #"{"top_p": 1.5}"#, #"{"top_k": -1}"#, #"{"repetition_penalty": -1}"#] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(SamplingSettings.self, from: Data(bad.utf8))
            }
        }
    }
}
