import Audio
import Wire

/// A spoken conversation that goes on until it is ended: a microphone is listened to all the time, replies are played as
/// they come, and whoever speaks while a reply is played stops it.
public actor LiveConversation {
    /// Who says when a turn begins and ends.
    public enum Mode: Sendable {
        /// The server, by the voice that it hears.
        case handsFree
        /// The person, by `beginTurn` and `endTurn`.
        case pushToTalk
    }

    /// What the conversation is at.
    public enum Phase: Sendable, Equatable {
        /// Nobody says anything.
        case waiting
        /// The person speaks.
        case hearing
        /// The turn is over, and nothing of its answer is heard: not yet, or not for the moment.
        case thinking
        /// The answer is heard.
        case speaking
        /// Music that was made is heard.
        case playing
    }

    /// Something for the person.
    public enum Update: Sendable {
        /// What became of a turn.
        case turn(TurnLedger.Update)
        /// The person stopped the reply after so much of it; nothing more of it is heard.
        case interrupted(after: Duration)
        /// The person stopped the music after so much of it.
        case musicStopped(after: Duration)
        /// Something that did not go as the person may have thought: one line.
        case notice(String)
    }

    /// How loud the microphone is, in dB.
    public var level: Float { meter.level }

    private static let frame = 320
    /// Whoever sends nothing for minutes is taken for gone by the server.
    private static let heartbeat = Duration.seconds(60)
    /// A turn that is shorter, 300 ms, was no turn but a slip of the finger.
    private static let shortestTurn = 4800

    let link: any LiveLink
    let sound: any LiveSound
    private let mode: Mode
    let show: @Sendable (Update) -> Void
    let fetchMusic: (@Sendable (Artifact) async throws -> [Float]?)?
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    private var ledger = TurnLedger()
    private var replies = HeardReplies()
    private var meter = LevelMeter()
    private let voice = VoiceMark()
    private var lastSent: ContinuousClock.Instant
    /// Samples of the turn that the person holds open; nil when there is none.
    private var talk: Int?
    private var isThinking = false
    /// The item whose sound comes, and whether it is to be heard.
    private var item: String?
    private(set) var isMuted = false
    /// A response was created and is not done.
    private var isAnswering = false
    var music = LiveMusic()

    /// A conversation of a new session.
    /// - Parameters:
    ///   - link: the session; its turn detection must be the mode's.
    ///   - sound: speech at 16 kHz comes from it, replies at the link's rate go to it.
    ///   - music: gives the samples of a piece that was made, at the link's rate, to be played behind the answer's speech;
    ///     nil for one that cannot be had, of which the person knows already. Without it no music is played.
    ///   - show: is told what comes, as it comes, one call at a time.
    public init(
        _ link: some LiveLink, _ sound: some LiveSound, mode: Mode,
        music fetchMusic: (@Sendable (Artifact) async throws -> [Float]?)? = nil,
        show: @escaping @Sendable (Update) -> Void
    ) {
        self.link = link
        self.sound = sound
        self.mode = mode
        self.fetchMusic = fetchMusic
        self.show = show
        start = clock.now
        lastSent = start
    }

    /// Talks until the task is cancelled, the sound is closed or the session is over.
    ///
    /// - Throws: `ClientError` when the session ended; `CancellationError`.
    public func run() async throws {
        defer { stopMusic() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.listen() }
            group.addTask { try await self.receive() }
            group.addTask { try await self.keepAlive() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// What the conversation is at now.
    public var phase: Phase {
        if talk != nil || ledger.isTurnOpen { return .hearing }
        let position = sound.position
        if position.heard < position.total {
            return music.place?.contains(position.heard) ?? false ? .playing : .speaking
        }
        return isThinking || isAnswering ? .thinking : .waiting
    }

    // MARK: The person

    private func listen() async throws {
        while let samples = await sound.hear(Self.frame) {
            meter.hear(samples)
            guard mode == .handsFree || talk != nil else { continue }
            try await speak(samples)
        }
        try Task.checkCancellation()
    }

    private func speak(_ samples: [Float]) async throws {
        if let talk { self.talk = talk + samples.count }
        lastSent = clock.now
        if voice.hear(samples) || mode == .pushToTalk { ledger.sentSpeech(at: start.duration(to: clock.now)) }
        // The connection's end is told by whoever receives.
        _ = try await link.speak(samples)
    }

    /// The person begins a turn; a reply that is heard is stopped. Only for `pushToTalk`.
    public func beginTurn() {
        precondition(mode == .pushToTalk)
        guard talk == nil else { return }
        stopReply()
        talk = 0
    }

    /// The person's turn is over, and to be answered.
    public func endTurn() async throws {
        guard let samples = talk else { return }
        talk = nil
        guard samples >= Self.shortestTurn else {
            link.send(.inputAudioBufferClear)
            show(.notice("nothing was said: hold or press the space bar, then speak"))
            return
        }
        try await link.finishSpeech()
        link.send(.inputAudioBufferCommit)
        link.send(.responseCreate(ResponseParameters()))
    }

    /// Stops the reply that is being made or heard, and music.
    public func stopReply() {
        if isAnswering { link.send(.responseCancel(responseID: nil)) }
        silence()
    }

    /// The microphone is gone: what was said counts as all that there was to say.
    public func microphoneLost() async throws {
        if talk != nil { return try await endTurn() }
        guard ledger.isTurnOpen else { return }
        // Time is the samples', so the server hears the end of the turn in them.
        var milliseconds = 500
        if case .serverVAD(let settings)? = link.session.turnDetection {
            milliseconds = settings.silenceDurationMilliseconds
        }
        let frames = (milliseconds + 1000) / 20
        for _ in 0..<frames {
            guard try await link.speak([Float](repeating: 0, count: Self.frame)) else { return }
        }
    }

    private func keepAlive() async throws {
        while true {
            try await clock.sleep(until: lastSent.advanced(by: Self.heartbeat))
            guard clock.now - lastSent >= Self.heartbeat else { continue }
            lastSent = clock.now
            // Says nothing, as nothing is in the buffer.
            if !ledger.isTurnOpen, talk == nil { link.send(.inputAudioBufferClear) }
        }
    }

    // MARK: The server

    private func receive() async throws {
        while true {
            switch try await link.next() {
            case .event(let event): try take(event)
            case .sound(let samples, let concealed):
                let time = start.duration(to: clock.now)
                guard !isMuted, let item else { continue }
                ledger.tookPacket(samples: samples.count, concealed: concealed, at: time)
                show(.turn(.sound(samples)))
                // Whose music is longer than what may wait goes first. It is stopped by whoever speaks.
                await music.player?.value
                guard let place = await sound.play(samples) else { return try Task.checkCancellation() }
                isThinking = false
                // It may have been stopped while this waited for room.
                if isMuted {
                    _ = sound.flush()
                } else {
                    replies.played(item: item, at: place, count: samples.count)
                }
            }
        }
    }

    private func take(_ event: ServerEvent) throws {
        switch event {
        case .error(let error): return try complain(error)
        case .speechStarted:
            if link.session.turnDetection?.interruptResponse ?? false { silence() }
        case .speechStopped: isThinking = true
        case .inputAudioBufferCommitted: isThinking = true
        case .responseCreated:
            isAnswering = true
            dropLateMusic()
            replies.forget(upTo: sound.position.heard)
        case .outputItemAdded(let added):
            item = added.item.id
            isMuted = false
        case .responseDone(let response):
            isAnswering = false
            isThinking = false
            if response.status == .cancelled { stopMusic() } else { playMusic() }
        default: break
        }
        for update in try ledger.take(event, at: start.duration(to: clock.now)) {
            show(.turn(update))
            if case .artifact(let artifact) = update { announced(artifact) }
        }
        ledger.forgetFinishedTurns()
    }

    /// Errors after which the conversation goes on. What comes of two things that happened at once is nobody's mistake.
    private func complain(_ error: WireError) throws {
        switch error.code {
        case .responseCancelNotActive, .inputAudioBufferCommitEmpty, .itemNotFound: break
        default: show(.notice("the server reports an error: \(error)"))
        }
    }

    /// Stops the sound, and tells the server what was heard of it.
    private func silence() {
        isMuted = true
        stopMusic()
        let position = sound.position
        guard position.heard < position.total else { return }
        let heard = sound.flush()
        for (item, samples) in replies.stop(at: heard) {
            let milliseconds = samples * 1000 / link.replyRate
            link.send(
                .conversationItemTruncate(itemID: item, contentIndex: 0, audioEndMilliseconds: milliseconds))
            show(.interrupted(after: .milliseconds(milliseconds)))
        }
        if let time = stoppedMusic(at: heard) { show(.musicStopped(after: time)) }
    }
}
