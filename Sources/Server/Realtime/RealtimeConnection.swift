import AnyGPT
import Audio
import Logging
import WebSockets
import Wire

/// One client behind a door: turns what it sends into calls of its `Session`, and what the session tells into what the
/// client is sent. The door of our own subprotocol, the JSON door of OpenAI's clients and the desktop's differ only in how
/// sound travels.
///
/// All decisions about who speaks when are the `TurnMachine`'s; this actor carries them out, in order.
actor RealtimeConnection {
    let door: any RealtimeDoor
    let services: RealtimeServices
    let logger: Logger

    var settings: SessionConfiguration
    var machine = TurnMachine()
    var input: AudioInput
    var items = ItemList()
    let clock = ContinuousClock()
    let started: ContinuousClock.Instant

    /// The item that the open turn will become.
    var turnItem: String?
    /// Written questions that came while a turn was open.
    var writtenMeanwhile: [WrittenQuestion] = []
    /// When sound came in: what the stages of an answer are measured from.
    var arrivals = SoundArrivals()
    /// When the last voice of the turn that is just ending came in.
    var turnEnd: ContinuousClock.Instant
    /// What the next answer is to.
    var question: Question

    /// What the next answer was asked to be like; nil leaves it to the session's configuration.
    var asked: ResponseParameters?
    var response: ResponseRecord?
    var output: AudioOutput?
    var outputIsComplete = false
    var drained: CheckedContinuation<Void, Never>?
    var sending: Task<Void, Never>?
    var answering: Task<Void, Never>?
    /// The item of the last answer, which the client may say it did not hear all of.
    var lastAnswerItem: String?

    /// Files that the client has sent.
    var uploads: Uploads
    /// The piece of music that is being made.
    var piece: PieceInProgress?
    /// Why the artifact of the running response failed.
    var artifactFailure: (any Error)?
    /// Artifacts that this session has made.
    var artifactsMade = 0
    /// The last thing that was written: what an artifact's tags call its prompt.
    var lastWritten = ""
    /// Where this session's drawing of tokens began.
    let seed: UInt64

    private var openSession: Session?
    private var nextName = 0
    private var lastMessage: ContinuousClock.Instant

    init(_ door: any RealtimeDoor, _ services: RealtimeServices) throws {
        self.door = door
        self.services = services
        let id = "sess_\(services.randomName())"
        var logger = services.logger
        logger[metadataKey: "session"] = "\(id)"
        self.logger = logger
        settings = services.initialSettings(id: id)
        input = try AudioInput(
            detection: services.detection(settings.turnDetection), maximumTurn: services.maximumTurnSamples)
        uploads = Uploads(largest: services.configuration.music.maxUploadBytes)
        seed = services.seed()
        started = clock.now
        turnEnd = started
        question = .written(at: started)
        lastMessage = started
    }

    /// The conversation; it exists from `run` on.
    var session: Session {
        guard let openSession else { preconditionFailure("the session is not open yet") }
        return openSession
    }

    /// Lives with the connection until it closes.
    func run() async {
        logger.info("session opened", metadata: ["client": "\(door.peer)", "sound": "\(door.sound)"])
        do {
            let session = try Session(services.engine, seed: seed) { [weak self] event in
                await self?.told(event)
            }
            openSession = session
            send(.sessionCreated(settings))
            try await session.prepare()
        } catch {
            logger.error("session could not begin: \(error)")
            door.close(code: .internalError, reason: "the session could not begin")
            return
        }
        let watchdog = Task { await self.closeWhenIdle() }
        while let arrival = await door.next() {
            lastMessage = clock.now
            await take(arrival)
        }
        watchdog.cancel()
        await end()
        logger.info("session closed", metadata: ["concealed_packets": "\(input.concealedPackets)"])
    }

    private func end() async {
        await openSession?.stop()
        output?.stop()
        outputIsComplete = true
        pump()
        await answering?.value
        sending?.cancel()
    }

    private func closeWhenIdle() async {
        while !Task.isCancelled {
            let deadline = lastMessage.advanced(by: services.idleTimeout)
            if clock.now >= deadline, answering == nil {
                logger.info("closed: nothing came for \(services.idleTimeout)")
                return door.close(code: .policyViolation, reason: "nothing came for too long")
            }
            try? await clock.sleep(until: max(deadline, clock.now.advanced(by: .seconds(1))))
        }
    }

    // MARK: Messages

    private func take(_ arrival: DoorArrival) async {
        do {
            switch arrival {
            case .message(let message):
                do {
                    try await handle(message.event)
                } catch var error as WireError {
                    error.eventID = error.eventID ?? message.eventID
                    throw error
                }
            case .opus(let packet): try await hear { try $0.hear(opus: packet) }
            case .samples(let samples): try await hear { $0.hear(samples) }
            case .upload(let frame): try uploads.take(frame)
            case .refused(let error): throw error
            }
        } catch let error as WireError {
            send(.error(error))
        } catch {
            logger.error("\(error)")
            send(.error(WireError(.init(rawValue: "internal_error"), "\(error)", kind: .server)))
        }
    }

    /// Takes sound in, which has come now.
    private func hear(_ sound: (inout AudioInput) throws -> [AudioInput.Event]) async throws {
        let arrival = clock.now
        let events = try sound(&input)
        arrivals.note(input.position, at: arrival)
        try await take(events)
    }

    private func handle(_ event: ClientEvent) async throws {
        switch event {
        case .sessionUpdate(let update): try updateSettings(update)
        case .inputAudioBufferAppend(let bytes):
            let format = settings.inputFormat
            try await hear { try $0.hear(bytes, format: format) }
        case .inputAudioBufferCommit: try await commit()
        case .inputAudioBufferClear:
            input.endTurn()
            try await perform(machine.handle(.clear))
            send(.inputAudioBufferCleared)
        case .conversationItemCreate(let after, let item): try await create(item, after: after)
        case .conversationItemRetrieve(let id): send(.conversationItemRetrieved(try find(id)))
        case .conversationItemDelete(let id):
            _ = try find(id)
            items[id] = nil
            _ = await session.remove(item: id)
            send(.conversationItemDeleted(itemID: id))
        case .conversationItemTruncate(let id, let index, let milliseconds):
            try await truncate(id, contentIndex: index, milliseconds: milliseconds)
        case .responseCreate(let parameters):
            asked = parameters
            try await perform(machine.handle(.answerRequested))
        case .responseCancel: try await perform(machine.handle(.cancelRequested))
        case .outputAudioBufferClear:
            output?.stop()
            pump()
        }
    }

    private func updateSettings(_ update: SessionUpdate) throws {
        var new = settings.applying(update)
        // What is effective is reported, whatever was asked for: there is one model, one voice and no tools.
        let fixed = services.initialSettings(id: settings.id)
        (new.model, new.voice, new.instructions) = (fixed.model, fixed.voice, fixed.instructions)
        (new.tools, new.speed, new.noiseReduction) = ([], 1, nil)
        if new.turnDetection != settings.turnDetection {
            input.detect(with: services.detection(new.turnDetection))
        }
        machine.policy = TurnMachine.Policy(
            answersByItself: new.turnDetection?.createResponse ?? false,
            speechInterrupts: new.turnDetection?.interruptResponse ?? false)
        settings = new
        send(.sessionUpdated(settings))
    }

    // MARK: Sending

    /// Sends an event, unless it is one of ours and the client speaks OpenAI's protocol.
    func send(_ event: ServerEvent) {
        guard door.sound.isOurs || event.isOpenAI else { return }
        door.send(ServerMessage(event, eventID: name("event")))
    }

    /// A name that this session has not used before.
    func name(_ prefix: String) -> String {
        nextName += 1
        return "\(prefix)_\(settings.id.dropFirst(5))\(nextName)"
    }

    /// Time since the session began.
    var now: Duration { clock.now - started }
}
