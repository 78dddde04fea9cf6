import Audio

/// Sound that a person speaks, or has spoken: mono at 16 kHz.
public protocol SpeechSource: Sendable {
    /// The next samples: as many as asked for, fewer only at the end, none after it.
    mutating func next(_ count: Int) async throws -> [Float]

    /// Whether what has not been taken yet is known to hold no speech.
    var isKnownToBeSilent: Bool { get }

    /// Whether `next` may have to wait for the sound to be recorded.
    var isLive: Bool { get }
}

/// Samples a second of everything that is sent.
public enum SpeechRate {
    /// 16 kHz: what the daemon's encoder listens to.
    public static let samples = 16_000
}

/// Speech that is in memory as a whole.
public struct RecordedSpeech: SpeechSource {
    private let samples: [Float]
    private var position = 0

    /// Speech of these samples, at 16 kHz.
    public init(samples: [Float]) { self.samples = samples }

    /// Reads a file of any kind, rate and number of channels that libsndfile knows.
    public init(file path: String) throws(ClientError) {
        do {
            samples = try AudioFile.read(path).mono(sampleRate: SpeechRate.samples)
        } catch {
            throw .sound("\(error)")
        }
        guard !samples.isEmpty else { throw .sound("cannot read \(path): it holds no sound") }
    }

    /// How long it lasts.
    public var seconds: Double { Double(samples.count) / Double(SpeechRate.samples) }

    /// The next samples.
    public mutating func next(_ count: Int) -> [Float] {
        let piece = samples[position..<min(position + count, samples.count)]
        position = piece.endIndex
        return Array(piece)
    }

    /// Whether our own detector finds no speech in the rest.
    public var isKnownToBeSilent: Bool {
        SpeechDetector().hear(samples[position...]).isEmpty
    }

    /// It is all there.
    public var isLive: Bool { false }
}
