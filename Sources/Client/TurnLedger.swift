import Wire

/// Follows a stretch of conversation and writes down what became of each turn in it. A pure state machine: it is told
/// what was sent, what came and when, and says what a listener should be shown.
///
/// Turns begin when the server says that speech has ended, or was committed; the response that follows belongs to the
/// turn before it. Speech that goes on after a pause makes another turn and stops the response to the first.
public struct TurnLedger: Sendable {
    /// Something for the person who listens.
    public enum Update: Equatable, Sendable {
        /// The server has taken the turn for ended.
        case turnEnded
        /// A piece of the transcript.
        case heard(String)
        /// A piece of the reply's text.
        case said(String)
        /// The next piece of the reply's sound, at `ReplySound.sampleRate`.
        case sound([Float])
        /// Something to look at or listen to, under its URL.
        case artifact(Artifact)
        /// The response is done, in whatever way.
        case done(TurnReport)
    }

    /// The turns so far.
    public private(set) var turns: [TurnReport] = []
    /// The server hears speech, and its end has not come.
    public private(set) var isTurnOpen = false
    /// Everything has been sent, the last silence included.
    public var isEverythingSent = false
    /// When the sound so far will have been heard to its end, if it is played as it comes.
    public private(set) var soundEnds = Duration.zero

    private var lastSampleSent: Duration?
    private var hasEndedTurn = false

    /// Nothing has happened.
    public init() {}

    /// Whether nothing is outstanding: all is sent, no turn is open, and the last one has its answer.
    public var isSettled: Bool {
        isEverythingSent && !isTurnOpen && turns.last?.status != nil
    }

    /// Whether the server has found a turn, open or ended.
    public var hasHeardSpeech: Bool { isTurnOpen || !turns.isEmpty }

    /// Speech was sent, or what counts for it.
    public mutating func sentSpeech(at time: Duration) { lastSampleSent = time }

    /// The server sent an event. Throws when it is an `error`.
    public mutating func take(_ event: ServerEvent, at time: Duration) throws(ClientError) -> [Update] {
        switch event {
        case .error(let error): throw .server(error)
        case .speechStarted: isTurnOpen = true
        case .speechStopped: return endTurn(at: time)
        case .inputAudioBufferCommitted:
            // In manual mode this alone says that the turn has ended.
            let updates = hasEndedTurn ? [] : endTurn(at: time)
            hasEndedTurn = false
            return updates
        case .inputTranscriptionDelta(let payload): return heard(payload.delta, at: time)
        case .inputTranscriptionCompleted(let payload):
            guard let turn = turns.last, turn.transcript.isEmpty else { return [] }
            return heard(payload.transcript, at: time)
        case .outputTranscriptDelta(_, let delta), .outputTextDelta(_, let delta): return said(delta, at: time)
        case .outputTranscriptDone(_, let text), .outputTextDone(_, let text):
            guard let turn = turns.last, turn.reply.isEmpty else { return [] }
            return said(text, at: time)
        case .artifactDone(let payload):
            change { $0.artifacts.append(payload.artifact) }
            return [.artifact(payload.artifact)]
        case .responseTiming(let timing): change { $0.server = timing }
        case .responseDone(let response): return done(response, at: time)
        default: break
        }
        return []
    }

    /// A packet of the reply's sound came, and was decoded to so many samples.
    public mutating func tookPacket(samples: Int, concealed: Int, at time: Duration) {
        change { turn in
            turn.times.firstAudio = turn.times.firstAudio ?? time
            turn.packets += 1
            turn.concealedPackets += concealed
            turn.samples += samples
        }
        soundEnds = max(soundEnds, time) + .seconds(Double(samples) / Double(ReplySound.sampleRate))
    }

    /// Forgets turns that are done, and of those that were never answered all but the last: a conversation may go on for
    /// days.
    public mutating func forgetFinishedTurns() {
        turns.removeAll { $0.status != nil }
        if turns.count > 1 { turns.removeFirst(turns.count - 1) }
    }

    private mutating func endTurn(at time: Duration) -> [Update] {
        isTurnOpen = false
        hasEndedTurn = true
        var turn = TurnReport()
        turn.times.lastSampleSent = lastSampleSent
        turn.times.endOfTurn = time
        turns.append(turn)
        return [.turnEnded]
    }

    private mutating func heard(_ text: String, at time: Duration) -> [Update] {
        guard !text.isEmpty else { return [] }
        change { turn in
            turn.transcript += text
            turn.times.firstText = turn.times.firstText ?? time
        }
        return [.heard(text)]
    }

    private mutating func said(_ text: String, at time: Duration) -> [Update] {
        guard !text.isEmpty else { return [] }
        change { turn in
            turn.reply += text
            turn.times.firstText = turn.times.firstText ?? time
            turn.times.firstReplyText = turn.times.firstReplyText ?? time
        }
        return [.said(text)]
    }

    private mutating func done(_ response: Response, at time: Duration) -> [Update] {
        guard let index = answered else { return [] }
        turns[index].status = response.status
        turns[index].reason = response.statusDetails?.error?.code ?? response.statusDetails?.reason
        turns[index].times.done = time
        // A stopped answer's sound is not played to its end.
        if response.status == .cancelled { soundEnds = min(soundEnds, time) }
        return [.done(turns[index])]
    }

    /// The turn that is being answered: the last one that is not done. What comes before any turn is nobody's.
    private var answered: Int? { turns.indices.last { turns[$0].status == nil } }

    private mutating func change(_ body: (inout TurnReport) -> Void) {
        if let answered { body(&turns[answered]) }
    }
}
