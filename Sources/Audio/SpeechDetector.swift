/// Finds speech in a stream of 16 kHz samples that comes in pieces of any length; how it is cut makes no difference.
public final class SpeechDetector {
    /// When sound counts as speech.
    public let settings: SpeechDetectionSettings

    private let voice: VoiceActivityDetector
    private var segmenter: SpeechSegmenter
    private var pending: [Int16] = []

    /// A detector of a stream whose first sample is number `position`.
    public init(_ settings: SpeechDetectionSettings = SpeechDetectionSettings(), position: Int = 0) {
        self.settings = settings
        voice = VoiceActivityDetector(settings.aggressiveness)
        segmenter = SpeechSegmenter(settings, position: position)
    }

    /// Whether speech has started and not stopped.
    public var isSpeaking: Bool { segmenter.isSpeaking }

    /// How many samples of quiet have followed the last voice, in speech; see `SpeechSegmenter`.
    public var trailingSilence: Int { segmenter.trailingSilence }

    /// The number of the next sample.
    public var position: Int { segmenter.position + pending.count }

    /// Takes the next samples, and says what happened in them, in order.
    public func hear(_ samples: some Collection<Float>) -> [SpeechEvent] {
        pending += samples.lazy.map(PCM16.int16)
        var events: [SpeechEvent] = []
        var start = 0
        while pending.count - start >= VoiceActivityDetector.frameSize {
            let frame = Array(pending[start..<start + VoiceActivityDetector.frameSize])
            start += frame.count
            let decision = SpeechSegmenter.Frame(isVoice: voice.isVoice(frame), level: SoundLevel.of(frame))
            if let event = segmenter.hear(decision) { events.append(event) }
        }
        pending.removeFirst(start)
        return events
    }

    /// Ends the stream: speech that has not stopped stops at the last whole 10 ms. Then only `reset` is of use.
    public func finish() -> SpeechEvent? { segmenter.finish() }

    /// Forgets everything, as new: the next sample is number `position`.
    public func reset(position: Int = 0) {
        voice.reset()
        segmenter = SpeechSegmenter(settings, position: position)
        pending.removeAll(keepingCapacity: true)
    }
}
