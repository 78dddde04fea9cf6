import Compute
import SoundStorm
import SpeechTokenizer

/// The voice of one conversation: semantic codes into sound, chunk by chunk. Runs on the compute threads.
actor Speaker {
    private let engine: Engine
    private let lane: ComputeLane
    private var voice: SoundStormStream
    private var decoder: SpeechDecoderStream

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(_ engine: Engine) throws {
        self.engine = engine
        lane = engine.pool.lane(.audioOut)
        voice = try engine.makeVoice()
        decoder = engine.speechTokenizer.makeDecoder()
    }

    /// A new utterance begins.
    func reset() throws {
        voice = try engine.makeVoice()
        decoder = engine.speechTokenizer.makeDecoder()
    }

    /// Takes the next semantic codes; `play` gets the samples that are certain, as soon as they are.
    func say(_ codes: [Int32], play: @Sendable ([Float]) async -> Void) async throws {
        try voice.feed(codes.map(Int.init))
        try await synthesize(play)
    }

    /// The utterance is complete: `play` gets the samples that are still owed.
    func finish(play: @Sendable ([Float]) async -> Void) async throws {
        voice.finish()
        try await synthesize(play)
        let rest = decoder.finish()
        if !rest.isEmpty { await play(rest) }
    }

    private func synthesize(_ play: @Sendable ([Float]) async -> Void) async throws {
        while voice.hasWork {
            try Task.checkCancellation()
            if let grid = try voice.step() {
                let levels = (0..<grid.levels).map { level in (0..<grid.frames).map { Int32(grid[$0, level]) } }
                await Task.yield()
                let samples = try decoder.append(levels)
                if !samples.isEmpty { await play(samples) }
            }
            await Task.yield()
        }
    }
}
