import AnyGPT
import Audio
import Logging
import WebSockets
import Wire

/// One client on `/v1/realtime`: turns what it sends into calls of its `Session`, and what the session tells into what
/// the client is sent. The door of our own subprotocol and the JSON door of OpenAI's clients differ only in how sound
/// travels.
///
/// All decisions about who speaks when are the `TurnMachine`'s; this actor carries them out, in order.
actor RealtimeConnection {
    let connection: WebSocketConnection
    let services: RealtimeServices
    let logger: Logger
    /// Whether the client chose `anygpt.opus.v1`.
    let speaksOpus: Bool

    var settings: SessionConfiguration
    var machine = TurnMachine()
    var input: AudioInput
    var items = ItemList()
    let clock = ContinuousClock()
    let started: ContinuousClock.Instant

    /// The item that the open turn will become.
    var turnItem: String?
    /// Written questions that came while a turn was open.
    var writtenMeanwhile: [(text: String, item: String)] = []
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

    private var openSession: Session?
    private var nextName = 0
    private var lastMessage: ContinuousClock.Instant

    init(_ connection: WebSocketConnection, _ services: RealtimeServices) throws {
        self.connection = connection
        self.services = services
        speaksOpus = connection.subprotocol == OpusSubprotocol.name
        let id = "sess_\(services.randomName())"
        var logger = services.logger
        logger[metadataKey: "session"] = "\(id)"
        self.logger = logger
        settings = services.initialSettings(id: id)
        input = try AudioInput(
            detection: services.detection(settings.turnDetection), maximumTurn: services.maximumTurnSamples)
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
        logger.info("session opened", metadata: ["client": "\(connection.remoteAddress)", "opus": "\(speaksOpus)"])
        do {
            let session = try Session(services.engine, seed: services.seed()) { [weak self] event in
                await self?.told(event)
            }
            openSession = session
            send(.sessionCreated(settings))
            try await session.prepare()
        } catch {
            logger.error("session could not begin: \(error)")
            connection.close(code: .internalError, reason: "the session could not begin")
            return
        }
        let watchdog = Task { await self.closeWhenIdle() }
        for await message in connection.messages {
            lastMessage = clock.now
            await take(message)
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
                return connection.close(code: .policyViolation, reason: "nothing came for too long")
            }
            try? await clock.sleep(until: max(deadline, clock.now.advanced(by: .seconds(1))))
        }
    }

    // MARK: Messages

    private func take(_ message: WebSocketMessage) async {
        do {
            switch message {
            case .text(let bytes):
                let limits = services.jsonLimits
                let message = try ClientMessage(parsing: bytes, limits: limits)
                do {
                    try await handle(message.event)
                } catch var error as WireError {
                    error.eventID = error.eventID ?? message.eventID
                    throw error
                }
            case .binary(let bytes):
                guard speaksOpus else {
                    throw WireError(.invalidFrame, "Binary messages need the subprotocol \(OpusSubprotocol.name).")
                }
                let frame: ClientAudioFrame
                do { frame = try ClientAudioFrame(parsing: bytes) } catch { throw WireError.frame(error) }
                let arrival = clock.now
                let events = try input.hear(opus: frame.packet)
                arrivals.note(input.position, at: arrival)
                try await take(events)
            case .malformedText: throw WireError.notUTF8
            case .tooLarge(let bytes): throw WireError.tooLarge(bytes: bytes, limit: services.maxMessageBytes)
            case .closed: break
            }
        } catch let error as WireError {
            send(.error(error))
        } catch {
            logger.error("\(error)")
            send(.error(WireError(.init(rawValue: "internal_error"), "\(error)", kind: .server)))
        }
    }

    private func handle(_ event: ClientEvent) async throws {
        switch event {
        case .sessionUpdate(let update): try updateSettings(update)
        case .inputAudioBufferAppend(let bytes):
            let arrival = clock.now
            let events = try input.hear(bytes, format: settings.inputFormat)
            arrivals.note(input.position, at: arrival)
            try await take(events)
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
        guard speaksOpus || event.isOpenAI else { return }
        connection.send(text: ServerMessage(event, eventID: name("event")).encoded())
    }

    /// A name that this session has not used before.
    func name(_ prefix: String) -> String {
        nextName += 1
        return "\(prefix)_\(settings.id.dropFirst(5))\(nextName)"
    }

    /// Time since the session began.
    var now: Duration { clock.now - started }
}
