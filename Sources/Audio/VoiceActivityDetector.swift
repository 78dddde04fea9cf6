internal import CVoiceActivity

/// WebRTC's voice activity detector: a Gaussian mixture of noise and of voice over six frequency bands, which adapts as it
/// listens. One decision for each 10 ms at 16 kHz.
///
/// It is quick and good at telling voice from background noise, but takes steady tones and loud noise for voice;
/// `SpeechSegmenter` looks at the level for that.
public final class VoiceActivityDetector {
    /// Samples a second.
    public static let sampleRate = 16_000
    /// Samples in a frame: 10 ms.
    public static let frameSize = 160

    /// How readily it says no.
    public enum Aggressiveness: Int32, Sendable, CaseIterable {
        /// Misses next to nothing.
        case quality = 0
        /// Rather says yes.
        case lowBitrate
        /// Rather says no.
        case aggressive
        /// Says yes only when sure.
        case veryAggressive
    }

    /// How readily it says no.
    public let aggressiveness: Aggressiveness

    private let detector: OpaquePointer

    /// A detector that has heard nothing.
    public init(_ aggressiveness: Aggressiveness = .aggressive) {
        guard let detector = WebRtcVad_Create() else { fatalError("out of memory") }
        self.aggressiveness = aggressiveness
        self.detector = detector
        reset()
    }

    deinit { WebRtcVad_Free(detector) }

    /// Whether the next 10 ms are voice: `frameSize` samples.
    public func isVoice(_ frame: [Int16]) -> Bool {
        precondition(frame.count == Self.frameSize, "a frame has \(Self.frameSize) samples, not \(frame.count)")
        let decision = WebRtcVad_Process(detector, Int32(Self.sampleRate), frame, frame.count)
        precondition(decision >= 0, "WebRTC's detector refused a frame of \(frame.count) samples")
        return decision == 1
    }

    /// Forgets everything: as new.
    public func reset() {
        let done = WebRtcVad_Init(detector) == 0 && WebRtcVad_set_mode(detector, aggressiveness.rawValue) == 0
        precondition(done, "WebRTC's detector refused to reset")
    }
}
