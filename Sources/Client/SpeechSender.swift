import Audio
import Synchronization
import Wire

/// Sends speech as a microphone does: an Opus packet every 20 ms, never faster than it would be spoken, and then silence
/// until the server has taken the turn for ended; or a commit, where the client says so.
struct SpeechSender<C: Clock & Sendable>: Sendable where C.Duration == Duration {
    /// Where time comes from, and when the conversation began.
    let clock: C
    let start: C.Instant
    let turnEnd: RealtimeClient.TurnEnd
    /// The longest silence after the speech.
    let silenceLimit: Duration
    let ledger: SharedLedger
    /// What the client asks for when it ends a turn.
    let request: ResponseParameters
    /// Takes a packet to the server; false when the connection is over.
    let sendPacket: @Sendable ([UInt8]) async -> Bool
    let sendEvent: @Sendable (ClientEvent) -> Void

    private static var packet: Duration { .milliseconds(20) }

    /// Silence in which the server has heard nothing at all: it will not hear anything later either.
    private static var silenceWithoutSpeech: Duration { .seconds(3) }

    /// Sends all of it. Returns false when the connection was over before.
    func send(_ source: some SpeechSource) async throws -> Bool {
        var source = source
        let encoder: OpusEncoder
        do { encoder = try OpusEncoder() } catch { throw ClientError.sound("\(error)") }
        let voice = VoiceMark()
        var pace: Pace<C>?
        var endedTurns = 0
        while true {
            let frame = try await source.next(encoder.frameSize)
            if frame.isEmpty { break }
            var now = pace ?? Pace(clock, interval: Self.packet)
            if source.isLive { now.startLate() }
            try await now.wait()
            pace = now
            guard try await sendFrame(frame, encoder) else { return false }
            let hasVoice = voice.hear(frame)
            // Where we find no voice at all, all of it counts for speech.
            if hasVoice || !voice.hasHeardVoice || turnEnd == .commit { markSpeech() }
            // A pause inside of the speech is no reason to stop, but nothing else has to follow its end.
            let ended = ledger.state.withLock { $0.isTurnOpen ? 0 : $0.turns.count }
            if ended > endedTurns, source.isKnownToBeSilent { break }
            endedTurns = max(endedTurns, ended)
        }
        var now = pace ?? Pace(clock, interval: Self.packet)
        switch turnEnd {
        case .commit: return try await commit(encoder, &now)
        case .silence: return try await sendSilence(encoder, &now, after: voice)
        }
    }

    private func commit(_ encoder: OpusEncoder, _ pace: inout Pace<C>) async throws -> Bool {
        for packet in try encoder.finish() {
            try await pace.wait()
            guard await sendPacket(packet.bytes) else { return false }
        }
        markSpeech()
        sendEvent(.inputAudioBufferCommit)
        sendEvent(.responseCreate(request))
        ledger.state.withLock { $0.isEverythingSent = true }
        return true
    }

    /// Stays until everything is answered: a turn may still be found in what was sent last, and must be ended, too.
    private func sendSilence(
        _ encoder: OpusEncoder, _ pace: inout Pace<C>, after voice: VoiceMark
    ) async throws -> Bool {
        let silence = [Float](repeating: 0, count: encoder.frameSize)
        var sent = Duration.zero
        while true {
            let (isSettled, isOpen, hasHeard) = ledger.state.withLock { ledger in
                ledger.isEverythingSent = !voice.isSpeaking
                return (ledger.isSettled, ledger.isTurnOpen, ledger.hasHeardSpeech)
            }
            if isSettled { return true }
            guard isOpen || !hasHeard || voice.isSpeaking else {
                sent = .zero
                try await pace.wait()
                continue
            }
            guard sent < (isOpen ? silenceLimit : min(silenceLimit, Self.silenceWithoutSpeech)) else {
                throw isOpen ? ClientError.turnDidNotEnd(silence: sent) : ClientError.noSpeechHeard
            }
            try await pace.wait()
            guard try await sendFrame(silence, encoder) else { return false }
            _ = voice.hear(silence)
            sent += pace.interval
        }
    }

    /// Sends a frame; the rest of one that is not full is silence.
    private func sendFrame(_ samples: [Float], _ encoder: OpusEncoder) async throws -> Bool {
        let rest = repeatElement(Float(0), count: encoder.frameSize - samples.count)
        for packet in try encoder.encode(samples + rest) {
            guard await sendPacket(packet.bytes) else { return false }
        }
        return true
    }

    private func markSpeech() {
        let now = start.duration(to: clock.now)
        ledger.state.withLock { $0.sentSpeech(at: now) }
    }
}

/// The ledger of the turns that are being spoken, which the sender and the listener write together.
final class SharedLedger: Sendable {
    let state = Mutex(TurnLedger())
}

/// Where the last voice was in what was sent, by the same rules by which the daemon finds the end of a turn.
final class VoiceMark {
    private let detector = SpeechDetector()
    private var lastVoice = 0

    /// Whether any voice was found.
    var hasHeardVoice: Bool { lastVoice > 0 }
    /// Whether the last voice is so near that more may belong to it.
    var isSpeaking: Bool { detector.isSpeaking }

    /// Takes the next samples; says whether there is voice in them.
    func hear(_ samples: [Float]) -> Bool {
        _ = detector.hear(samples)
        guard detector.isSpeaking else { return false }
        let last = detector.position - detector.trailingSilence
        defer { lastVoice = max(lastVoice, last) }
        return last > lastVoice
    }
}
