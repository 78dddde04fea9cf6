import SoundStorm
import TestSupport
import Testing

@Suite("The streaming voice")
struct StreamTests {
    let network = RandomNetwork()
    let model: SoundStormModel

    init() throws { model = try network.model(seed: 5) }

    /// Feeds these pieces and steps in between, as `steps` says; all that comes out, chunk by chunk.
    private func streamed(
        _ pieces: [[Int]], voice: TokenGrid?, _ options: StreamingOptions, stepsBetween: () -> Int = { .max }
    ) throws -> [TokenGrid] {
        let stream = try SoundStormStream(model, voice: voice, options: options, noise: SeededNoise(seed: 3))
        var chunks: [TokenGrid] = []
        for piece in pieces {
            try stream.feed(piece)
            var left = stepsBetween()
            while left > 0, stream.hasWork {
                if let codes = try stream.step() { chunks.append(codes) }
                left -= 1
            }
        }
        stream.finish()
        while stream.hasWork { if let codes = try stream.step() { chunks.append(codes) } }
        #expect(stream.isDone && stream.framesWaiting == 0)
        return chunks
    }

    @Test(
        "gives the same chunks however the ids are cut and whenever it computes", arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func cuts(seed: UInt64) throws {
        var random = TestGenerator(seed: seed)
        let total = Int.random(in: 1...90, using: &random)
        let (semantic, voice) = GenerationTests.input(
            network, (total, Bool.random(using: &random) ? 12 : 0), seed: seed)
        let options = StreamingOptions(
            chunkFrames: [5, 11], contextFrames: Int.random(in: 0...20, using: &random),
            lookaheadFrames: Int.random(in: 0...6, using: &random),
            generation: GenerationOptions(steps: Int.random(in: 1...3, using: &random), greedy: seed % 2 == 0))
        let whole = try streamed([semantic], voice: voice, options, stepsBetween: { 0 })
        #expect(whole.flatMap { chunk in (0..<chunk.frames).map { chunk[$0, 0] } } == semantic)
        for round in 0..<4 {
            var pieces: [[Int]] = []
            var rest = semantic[...]
            while !rest.isEmpty {
                let piece = rest.prefix(round == 0 ? 1 : Int.random(in: 0...30, using: &random))
                pieces.append(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            let chunks = try streamed(pieces, voice: voice, options) { Int.random(in: 0...9, using: &random) }
            #expect(chunks == whole, "seed \(seed), round \(round)")
        }
    }

    @Test("each chunk is the generation that goes on after the voice and what was emitted last")
    func chunksAreGenerations() throws {
        let (semantic, voice) = GenerationTests.input(network, (30, 6), seed: 9)
        let options = StreamingOptions(
            chunkFrames: [8, 10], contextFrames: 5, lookaheadFrames: 3, generation: GenerationOptions(steps: 2))
        let chunks = try streamed([semantic], voice: voice, options)
        #expect(chunks.map(\.frames) == [8, 10, 10, 2])
        var done = TokenGrid(levels: 4)
        for (index, (chunk, ahead)) in zip(chunks, [3, 3, 2, 0]).enumerated() {
            var prompt = try #require(voice)
            prompt.append(done.suffix(5))
            let end = done.frames + chunk.frames + ahead
            // Two steps draw noise twice a chunk: the calls are counted through the whole stream.
            let noise = ShiftedNoise(base: SeededNoise(seed: 3), calls: 2 * index)
            let codes = try model.generate(
                semantic: Array(semantic[done.frames..<end]), prompt: prompt, options: options.generation, noise: noise)
            #expect(chunk == codes[frames: 0..<chunk.frames], "chunk \(index)")
            done.append(chunk)
        }
    }

    private struct ShiftedNoise: NoiseSource {
        let base: SeededNoise
        let calls: Int
        func uniforms(call: Int, position: Int, into numbers: UnsafeMutableBufferPointer<Float>) {
            base.uniforms(call: call + calls, position: position, into: numbers)
        }
        func require(positions: Int, codes: Int) {}
    }

    @Test("the first chunk starts as soon as its frames and the lookahead are known, and not before")
    func starts() throws {
        let options = StreamingOptions(chunkFrames: [4, 8], lookaheadFrames: 2)
        let stream = try SoundStormStream(model, options: options)
        #expect(!stream.hasWork)
        try stream.feed([0, 1, 2, 3, 4])
        #expect(!stream.hasWork)
        #expect(try stream.step() == nil)
        try stream.feed([5])
        #expect(stream.hasWork)
        var passes = 0
        var codes: TokenGrid?
        while codes == nil, stream.hasWork {
            codes = try stream.step()
            passes += 1
        }
        #expect(passes == 4 && codes?.frames == 4 && stream.framesWaiting == 2)
        #expect(!stream.hasWork && !stream.isDone)
        stream.finish()
        #expect(stream.hasWork && !stream.isDone)
    }

    @Test("a stream without ids ends at once; bad ids are refused whole; bad options too")
    func edges() throws {
        let stream = try SoundStormStream(model)
        #expect(throws: SoundStormError.self) { try stream.feed([1, 2, network.semanticCodes]) }
        #expect(stream.framesWaiting == 0)
        stream.finish()
        #expect(!stream.hasWork && stream.isDone)
        #expect(try stream.step() == nil)
        for options in [
            StreamingOptions(chunkFrames: []), StreamingOptions(chunkFrames: [0]), StreamingOptions(contextFrames: -1),
            StreamingOptions(lookaheadFrames: -1), StreamingOptions(chunkFrames: [5, Int.max]),
            StreamingOptions(generation: GenerationOptions(steps: 0)),
        ] {
            #expect(throws: SoundStormError.self) { try SoundStormStream(model, options: options) }
        }
        #expect(throws: SoundStormError.self) {
            try SoundStormStream(model, voice: TokenGrid(frames: 1, levels: 3, repeating: 0))
        }
    }
}
