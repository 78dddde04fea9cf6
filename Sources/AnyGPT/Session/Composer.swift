import Compute
import Encodec

/// The music of one conversation: codes into sound while they are drawn, and sound that is played to it into codes. Runs
/// on the compute threads, behind everything that somebody is waiting to hear.
actor Composer {
    /// Frames that are decoded at a time, and samples that are encoded: what more urgent work waits for, some 50 ms at the
    /// full size. Fewer would read the network's weights too often; the frames come out of its tiles in threes.
    private static let framesAtOnce = 9
    private static let samplesAtOnce = 3200

    private let lane: ComputeLane
    private let model: EncodecModel
    private let layout: MusicTokens
    private var decoder: EncodecDecoderStream
    /// Numbers of tokens that are not decoded yet.
    private var waiting: [Int32] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(_ engine: Engine, _ model: EncodecModel) {
        lane = engine.pool.lane(.artifact)
        self.model = model
        layout = MusicTokens(levels: model.encodedLevels, size: model.configuration.codebookSize)
        decoder = model.makeDecoder()
    }

    /// Takes the next token's number; returns sound when enough of them are there.
    func play(_ number: Int32) throws -> [Float]? {
        waiting.append(number)
        guard waiting.count >= Self.framesAtOnce * layout.levels else { return nil }
        return try decode()
    }

    /// The piece is complete: the rest of its sound. Numbers that make no whole frame are left out, as the reference does.
    func finish() throws -> [Float] {
        defer {
            decoder = model.makeDecoder()
            waiting = []
        }
        return try decode() + decoder.finish()
    }

    /// Forgets a piece that was begun.
    func reset() {
        decoder = model.makeDecoder()
        waiting = []
    }

    private func decode() throws -> [Float] {
        let codes = layout.codes(waiting)
        waiting = []
        return try decoder.append(codes)
    }

    /// The numbers of the tokens of a piece that is played to the model: mono samples at its rate.
    func listen(_ samples: [Float]) async throws -> [Int32] {
        var encoder = model.makeEncoder()
        var codes = Array(repeating: [Int32](), count: layout.levels)
        func take(_ piece: [[Int32]]) { for level in codes.indices { codes[level] += piece[level] } }
        for start in stride(from: 0, to: samples.count, by: Self.samplesAtOnce) {
            try Task.checkCancellation()
            take(encoder.append(Array(samples[start..<min(samples.count, start + Self.samplesAtOnce)])))
            await Task.yield()
        }
        take(encoder.finish())
        return layout.numbers(codes)
    }
}

/// Music was asked for where no music tokenizer is configured.
public struct MusicUnavailable: Error, Equatable, CustomStringConvertible {
    /// A failure.
    public init() {}
    /// One line for a person, with what to do next.
    public var description: String {
        "this daemon has no music: its configuration names no Encodec ([model] encodec)"
    }
}
