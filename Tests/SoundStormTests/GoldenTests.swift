import Checkpoints
import SoundStorm
import Tensors
import TestSupport
import Testing

@Suite("SoundStorm against the reference's recording")
struct GoldenTests {
    let golden: SoundStormCase
    let model: SoundStormModel

    init() throws {
        golden = try SoundStormCase()
        model = try golden.model()
    }

    @Test("one forward pass, with every tensor on the way")
    func forward() throws {
        var stages: [String: Tensor] = [:]
        stages["forward.logits"] = try model.forward(
            tokens: golden.grid("forward.tokens"), condition: golden.inputs.integers("forward.condition_tokens").values
        ) { stage, tensor in
            switch stage {
            case .inputToConformer: stages["forward.input_to_conformer"] = tensor
            case .afterBlock(0): stages["forward.after_block0"] = tensor
            case .embeddings: stages["forward.embeddings"] = tensor
            case .afterBlock: break
            }
        }
        #expect(stages.count == 4)
        for (name, tensor) in stages {
            // The recording allows 1e-3; what is measured is 1e-5 and less.
            let difference = largestDifference(tensor, try golden.expected.tensor(name))
            #expect(difference < 5e-5, "\(name) differs by \(difference)")
        }
    }

    @Test("frames that are masked out neither attend nor are attended to")
    func masked() throws {
        let rows = try golden.expected.integers("padded_rows").values
        let condition = try golden.inputs.integers("forward.condition_tokens").values
        let visible = condition.indices.map { $0 < condition.count - 5 }
        let logits = try model.forward(
            tokens: golden.grid("forward.tokens"), condition: condition, visible: visible)
        let parts = rows.map { logits[rows: $0 * 7..<($0 + 1) * 7] }
        let difference = largestDifference(
            Tensor.concatenated(parts), try golden.expected.tensor("forward.logits_last5_padded"))
        #expect(difference < 5e-5)
    }

    @Test(
        "generations: the grid of every pass and the codes, exactly",
        arguments: ["steps1", "steps3", "steps4", "steps8", "steps4_sample"], ["plain", "prompt"])
    func generation(run: String, voice: String) throws {
        let steps = try #require(Int(run.dropFirst("steps".count).prefix { $0.isNumber }))
        var passes: [TokenGrid] = []
        let codes = try model.generate(
            semantic: golden.inputs.integers("semantic_tokens").values,
            prompt: voice == "prompt" ? golden.grid("prompt_tokens") : nil,
            options: GenerationOptions(steps: steps, greedy: !run.hasSuffix("sample")), noise: golden.noise(),
            onPass: { passes.append($0) })
        let expectedPasses = try golden.expected.integers("\(run).\(voice).inputs_of_passes")
        #expect(passes.count == expectedPasses.shape[0])
        let firstWrong = passes.indices.first { index in
            let size = expectedPasses.shape[1] * expectedPasses.shape[2]
            return passes[index].values != Array(expectedPasses.values[index * size..<(index + 1) * size])
        }
        #expect(firstWrong == nil, "pass \(firstWrong ?? 0) starts from another grid")
        #expect(codes.values == (try golden.expected.integers("\(run).\(voice).out")).values)
        #expect(codes.levels == 8)
    }

    @Test("a run counts noise calls as the reference makes them, whether they matter or not")
    func noiseCalls() throws {
        for (options, calls) in [
            (GenerationOptions(steps: 1), 1), (GenerationOptions(steps: 3), 3),
            (GenerationOptions(steps: 4, greedy: false), 11),
        ] {
            let run = try GenerationRun(
                model, semantic: golden.inputs.integers("semantic_tokens").values, options: options,
                noise: golden.noise())
            while run.step() {}
            #expect(run.noiseCalls == calls)
            #expect(run.passesDone == options.steps + 7)
        }
    }
}
