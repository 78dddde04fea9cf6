/// Where speech starts and stops, in samples at 16 kHz from the start of the stream.
public enum SpeechEvent: Sendable, Equatable {
    /// Speech has begun. `at` is the first sample that belongs to it, prefix padding included: never before the stream's
    /// start nor before the end of the speech before.
    case speechStarted(at: Int)

    /// Speech is over: it has been quiet for the silence asked for, or the stream has ended. `at` is the first sample
    /// that no longer belongs to it, the silence included (as OpenAI's `audio_end_ms` does); `lastVoice` is the end of
    /// the last voice in it.
    case speechStopped(at: Int, lastVoice: Int)
}

/// Turns decisions of 10 ms into stretches of speech. A pure state machine: no audio, no clock.
///
/// A frame is voice when the detector says so, when its level is high enough above the background (the lowest of the last
/// two seconds) and in itself, and when that level has not stood still for 100 ms. Voice counts up and its absence counts down; speech starts when the count
/// reaches the minimum. Then every 30 ms of voice start the silence anew, which ends the speech when it is long enough.
public struct SpeechSegmenter: Sendable {
    /// What is known of 10 ms of sound.
    public struct Frame: Sendable, Equatable {
        /// The decision of the voice activity detector.
        public let isVoice: Bool
        /// The mean power, in dBFS.
        public let level: Float

        /// A frame.
        public init(isVoice: Bool, level: Float) {
            self.isVoice = isVoice
            self.level = level
        }
    }

    private enum Phase {
        /// Waiting for speech: the voice counted, and where it began.
        case quiet(voiced: Int, firstVoice: Int)
        /// In speech: the end of its last voice, and how many frames of voice came in a row.
        case speech(lastVoice: Int, run: Int)
    }

    /// What the level of steady noise does not reach above its own lowest, in dB, but that of a voice does.
    private static let earlyMargin: Float = 5

    /// Frames of voice in a row that are no accident.
    private static let resumingFrames = 3

    private let settings: SpeechDetectionSettings
    private var background = BackgroundLevel()
    private var steadiness = Steadiness()
    private var phase = Phase.quiet(voiced: 0, firstVoice: 0)
    /// The first sample that a new stretch of speech may claim.
    private var free: Int

    /// The first sample that has not been heard.
    public private(set) var position: Int

    /// A segmenter of a stream whose first sample is number `position`.
    public init(_ settings: SpeechDetectionSettings = SpeechDetectionSettings(), position: Int = 0) {
        self.settings = settings
        self.position = position
        free = position
    }

    /// Whether speech has started and not stopped.
    public var isSpeaking: Bool {
        if case .speech = phase { true } else { false }
    }

    /// How many samples of quiet have followed the last voice, in speech; 0 outside of it. Grows up to the silence that
    /// ends the speech: a caller may prepare an answer on the way.
    public var trailingSilence: Int {
        if case .speech(let lastVoice, _) = phase { position - lastVoice } else { 0 }
    }

    /// Takes the next 10 ms.
    public mutating func hear(_ frame: Frame) -> SpeechEvent? {
        background.hear(frame.level)
        steadiness.hear(frame.level)
        let margin = background.isKnown ? settings.margin : min(settings.margin, Self.earlyMargin)
        let least = max(settings.leastLevel, background.level + margin)
        let isVoice = frame.isVoice && frame.level >= least && !steadiness.isSteady
        let start = position
        position += VoiceActivityDetector.frameSize

        switch phase {
        case .quiet(let voiced, let firstVoice):
            return listen(isVoice, voiced: voiced, firstVoice: voiced == 0 ? start : firstVoice)
        case .speech(let lastVoice, let run):
            return follow(isVoice, lastVoice: lastVoice, run: isVoice ? run + 1 : 0)
        }
    }

    /// Ends the stream: speech that has not stopped stops here.
    public mutating func finish() -> SpeechEvent? {
        guard case .speech(let lastVoice, _) = phase else { return nil }
        return stop(lastVoice: lastVoice)
    }

    private mutating func listen(_ isVoice: Bool, voiced: Int, firstVoice: Int) -> SpeechEvent? {
        let count = isVoice ? voiced + 1 : max(0, voiced - 1)
        guard count * 10 >= settings.minimumSpeechMS else {
            phase = .quiet(voiced: count, firstVoice: firstVoice)
            return nil
        }
        phase = .speech(lastVoice: position, run: count)
        return .speechStarted(at: max(free, firstVoice - settings.prefixPaddingMS * 16))
    }

    private mutating func follow(_ isVoice: Bool, lastVoice: Int, run: Int) -> SpeechEvent? {
        let last = isVoice && run >= Self.resumingFrames ? position : lastVoice
        phase = .speech(lastVoice: last, run: run)
        // Voice that has just come back may be the end of a pause: it is not cut off.
        guard !isVoice, position - last >= settings.silenceMS * 16 else { return nil }
        return stop(lastVoice: last)
    }

    private mutating func stop(lastVoice: Int) -> SpeechEvent {
        phase = .quiet(voiced: 0, firstVoice: 0)
        free = position
        return .speechStopped(at: position, lastVoice: lastVoice)
    }
}
