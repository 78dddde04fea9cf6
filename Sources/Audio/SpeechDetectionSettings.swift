/// When sound counts as speech, and when speech counts as over: the parameters of OpenAI's `server_vad`, and one more.
///
/// Values come from clients: what is out of range is brought to the nearest end of the range, and the properties say what
/// is in force.
public struct SpeechDetectionSettings: Sendable, Equatable {
    /// How loud and how certain speech must be, 0 to 1. It sets three things together, over the range: the least level,
    /// -70 to -30 dBFS (at 0.5, -50); how far above the background the level must be, 3 to 15 dB (9); and how readily
    /// WebRTC's detector says no, in four steps (the third).
    public let threshold: Double

    /// How much audio from before the first voice belongs to the speech, 0 to 5,000 ms.
    public let prefixPaddingMS: Int

    /// How long it must be quiet until the speech is over, 10 to 10,000 ms.
    public let silenceMS: Int

    /// How much voice makes a start, 10 to 2,000 ms: clicks are shorter. From 120 ms on a beep is told from a voice.
    public let minimumSpeechMS: Int

    /// The settings nearest to what is asked for.
    public init(
        threshold: Double = 0.5, prefixPaddingMS: Int = 300, silenceMS: Int = 500, minimumSpeechMS: Int = 120
    ) {
        self.threshold = threshold.isNaN ? 0.5 : min(max(threshold, 0), 1)
        self.prefixPaddingMS = min(max(prefixPaddingMS, 0), 5_000)
        self.silenceMS = min(max(silenceMS, 10), 10_000)
        self.minimumSpeechMS = min(max(minimumSpeechMS, 10), 2_000)
    }

    /// The least level of speech, in dBFS.
    public var leastLevel: Float { Float(-70 + 40 * threshold) }

    /// How far above the background the level of speech is at least, in dB.
    public var margin: Float { Float(3 + 12 * threshold) }

    /// The mode of WebRTC's detector.
    public var aggressiveness: VoiceActivityDetector.Aggressiveness {
        switch threshold {
        case ..<0.25: .quality
        case ..<0.5: .lowBitrate
        case ..<0.75: .aggressive
        default: .veryAggressive
        }
    }
}
