@testable import SoundStorm
import TestSupport
import Testing

@Suite("Generation")
struct GenerationTests {
    static let sizes = [(frames: 1, voice: 0), (2, 0), (1, 3), (13, 0), (9, 40), (40, 33)]

    /// Random semantic ids, and a voice of this many frames.
    static func input(_ network: RandomNetwork, _ size: (frames: Int, voice: Int), seed: UInt64) -> ([Int], TokenGrid?)
    {
        var random = TestGenerator(seed: seed)
        let semantic = (0..<size.frames).map { _ in Int.random(in: 0..<network.semanticCodes, using: &random) }
        guard size.voice > 0 else { return (semantic, nil) }
        var voice = TokenGrid(frames: size.voice, levels: network.levels + 1, repeating: 0)
        for frame in 0..<size.voice {
            voice[frame, 0] = Int.random(in: 0..<network.semanticCodes, using: &random)
            for level in 1...network.levels { voice[frame, level] = Int.random(in: 0..<network.codes, using: &random) }
        }
        return (semantic, voice)
    }

    @Test(
        "leaves out only what nobody looks at: every grid equals that of a run which computes everything",
        arguments: [1, 2, 3, 7], [true, false])
    func equalsNaive(steps: Int, greedy: Bool) throws {
        for (index, network) in ForwardTests.networks.enumerated() {
            let seed = UInt64(steps * 10 + index)
            let model = try network.model(seed: seed)
            for size in Self.sizes {
                let (semantic, voice) = Self.input(network, size, seed: seed)
                let options = GenerationOptions(steps: steps, greedy: greedy)
                var naive = NaiveGeneration(model, options, SeededNoise(seed: seed))
                let expected = try naive.run(semantic, prompt: voice)
                let run = try GenerationRun(
                    model, semantic: semantic, prompt: voice, options: options, noise: SeededNoise(seed: seed))
                var passes: [TokenGrid] = []
                run.onPass = { passes.append($0) }
                while run.step() {}
                #expect(passes == naive.passes, "network \(index), seed \(seed), \(size), steps \(steps)")
                #expect(run.result == expected, "network \(index), seed \(seed), \(size), steps \(steps)")
                #expect(run.noiseCalls == naive.noiseCalls)
            }
        }
    }

    @Test("the numbers of positions left open are the reference's")
    func schedule() throws {
        let golden = try SoundStormCase()
        for (voice, frames) in [("plain", 14), ("prompt", 24)] {
            for (steps, counts) in golden.maskCounts[voice] ?? [:] {
                #expect(GenerationSchedule.openCounts(frames: frames, steps: try #require(Int(steps))) == counts)
            }
        }
        // The third of three steps lies on cos 60°, which fp32 puts above one half.
        for frames in stride(from: 2, to: 2_000, by: 2) {
            #expect(GenerationSchedule.openCounts(frames: frames, steps: 3)[2] == frames / 2)
        }
    }

    @Test("sampling keeps the reference's share of the logits")
    func kept() {
        #expect(GenerationSchedule.kept(of: 1024) == 308)
        #expect(GenerationSchedule.kept(of: 10) == 4)  // 1 - 0.7 is a little above 0.3
        #expect(GenerationSchedule.kept(of: 1) == 1)
    }

    @Test("a finished run stays finished, and nothing to say takes no passes")
    func ends() throws {
        let network = RandomNetwork()
        let model = try network.model(seed: 1)
        let (semantic, voice) = Self.input(network, (5, 4), seed: 1)
        let run = try GenerationRun(model, semantic: semantic, prompt: voice, options: GenerationOptions(steps: 2))
        #expect(run.passCount == 5)
        while run.step() {}
        let result = run.result
        #expect(!run.step() && run.result == result && run.passesDone == 5)
        #expect(try model.generate(semantic: [], prompt: voice) == TokenGrid(levels: 4))
    }

    @Test("what does not fit is refused with a reason")
    func refusals() throws {
        let network = RandomNetwork()
        let model = try network.model(seed: 1)
        let (semantic, voice) = Self.input(network, (5, 4), seed: 1)
        var wrongVoice = try #require(voice)
        wrongVoice[2, 3] = network.codes
        let error = #expect(throws: SoundStormError.self) {
            try model.generate(semantic: semantic, prompt: wrongVoice)
        }
        #expect(
            error?.description
                == "cannot use a voice prompt: frame 2 has id 37 in level 3, allowed are 0..<37")
        #expect(throws: SoundStormError.self) { try model.generate(semantic: [0, network.semanticCodes]) }
        #expect(throws: SoundStormError.self) { try model.generate(semantic: [-1]) }
        #expect(throws: SoundStormError.self) {
            try model.generate(semantic: semantic, prompt: TokenGrid(frames: 2, levels: 3, repeating: 0))
        }
        for steps in [0, -1, Int.max] {
            #expect(throws: SoundStormError.self) {
                try model.generate(semantic: semantic, options: GenerationOptions(steps: steps))
            }
        }
        let short = try RecordedNoise(Array(repeating: 0, count: 2 * 14 * 37), shape: [2, 14, 37])
        #expect(throws: SoundStormError.self) { try model.generate(semantic: semantic, noise: short) }
    }
}
