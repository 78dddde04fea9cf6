import Compute
import SpeechTokenizer

/// The ear of one conversation: speech into codes while it is spoken. Runs on the compute threads.
actor Listener {
    private let engine: Engine
    private let lane: ComputeLane
    private var stream: SpeechEncoderStream
    /// Samples that are not worth a step of their own yet.
    private var waiting: [Float] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(_ engine: Engine) {
        self.engine = engine
        lane = engine.pool.lane(.ingest)
        stream = engine.speechTokenizer.makeEncoder()
    }

    /// A new turn begins.
    func reset() {
        stream = engine.speechTokenizer.makeEncoder()
        waiting = []
    }

    /// Takes samples at the tokenizer's rate. Returns the codes that are settled enough to be read by the backbone (all
    /// but the last few, which the next sound will revise), or nil when nothing new was computed.
    func hear(_ samples: [Float]) async -> [Int32]? {
        waiting += samples
        let step = engine.settings.ingestFrames * engine.speechTokenizer.hop
        guard waiting.count >= step else { return nil }
        // A burst (a client that sends a file at once) is cut, so that nobody waits for all of it.
        var start = 0
        while waiting.count - start >= step {
            stream.append(Array(waiting[start..<start + step]))
            start += step
            await Task.yield()
        }
        waiting.removeFirst(start)
        return Array(stream.codes.dropLast(engine.settings.lookaheadFrames))
    }

    /// The turn is complete: all of its codes, exactly those of the offline tokenizer.
    func finish() -> [Int32] {
        if !waiting.isEmpty { stream.append(waiting) }
        waiting = []
        stream.finish()
        return stream.codes
    }
}
