import Audio
import Client
import Synchronization
import WebSockets
import Wire

/// A server that says what a test tells it to, for the client to be tried on.
struct StubDaemon: Sendable {
    /// Something that the client sent.
    enum Received: Equatable {
        case event(ClientEvent)
        case packet([UInt8])
    }

    let connection: WebSocketConnection

    /// Runs a body with a server whose every session follows a script, from `session.updated` on.
    static func with<Result: Sendable>(
        script: @escaping @Sendable (StubDaemon) async throws -> Void, _ body: (String) async throws -> Result
    ) async throws -> Result {
        try await serve(
            { connection in
                let daemon = StubDaemon(connection: connection)
                var session = SessionConfiguration(id: "sess_stub", model: "stub", voice: Voice("none"))
                daemon.send(.sessionCreated(session))
                guard case .event(.sessionUpdate(let update))? = await daemon.next() else { return }
                session = session.applying(update)
                daemon.send(.sessionUpdated(session))
                try? await script(daemon)
            }, body)
    }

    /// Runs a body with a server that does with a connection whatever it is told.
    @discardableResult
    static func serve<Result: Sendable>(
        _ handler: @escaping @Sendable (WebSocketConnection) async -> Void, _ body: (String) async throws -> Result
    ) async throws -> Result {
        var configuration = WebSocketServerConfiguration()
        configuration.paths = ["/v1/realtime"]
        configuration.subprotocols = [OpusSubprotocol.name]
        let server = try WebSocketServer(configuration: configuration, handler: handler)
        do {
            let result = try await body("ws://127.0.0.1:\(server.port)/v1/realtime")
            await server.shutdown()
            return result
        } catch {
            await server.shutdown()
            throw error
        }
    }

    func send(_ event: ServerEvent) {
        connection.send(text: ServerMessage(event, eventID: "event_stub").encoded())
    }

    /// The next thing that the client sends; nil when it is gone.
    func next() async -> Received? {
        switch await connection.messages.next() {
        case .text(let bytes): (try? ClientMessage(parsing: bytes)).map { .event($0.event) }
        case .binary(let bytes): (try? ClientAudioFrame(parsing: bytes)).map { .packet($0.packet) }
        default: nil
        }
    }

    /// Takes what comes until something is an event; how many packets came before it.
    func packetsBeforeEvent() async -> (packets: Int, event: ClientEvent?) {
        var packets = 0
        while let received = await next() {
            guard case .event(let event) = received else {
                packets += 1
                continue
            }
            return (packets, event)
        }
        return (packets, nil)
    }

    /// Takes so many packets; false when the client does something else.
    @discardableResult
    func takePackets(_ count: Int) async -> Bool {
        for _ in 0..<count {
            guard case .packet? = await next() else { return false }
        }
        return true
    }

    /// Waits until the client is gone.
    func drain() async {
        while await next() != nil {}
    }

    /// Says that a turn has ended: by silence, or by the client's commit.
    func endTurn(item: String = "item_1", bySilence: Bool) {
        if bySilence { send(.speechStopped(SpeechStopped(itemID: item, audioEndMilliseconds: 100))) }
        send(.inputAudioBufferCommitted(InputCommitted(previousItemID: nil, itemID: item)))
    }

    /// A whole answer: transcript, reply, and its sound but for the packets that are lost on the way.
    func answer(
        _ transcript: [String], _ reply: [String], frames: [ServerAudioFrame] = [], losing lost: Set<UInt32> = [],
        status: Response.Status = .completed, details: Response.StatusDetails? = nil
    ) {
        let place = OutputPlace(responseID: "resp_1", itemID: "item_2", outputIndex: 0)
        send(.responseCreated(Response(id: "resp_1", status: .inProgress)))
        for delta in transcript {
            send(.inputTranscriptionDelta(TranscriptionDelta(itemID: "item_1", contentIndex: 0, delta: delta)))
        }
        for delta in reply { send(.outputTranscriptDelta(place, delta: delta)) }
        for frame in frames where !lost.contains(frame.sequence) { connection.send(binary: frame.bytes) }
        var timing = ResponseTiming(responseID: "resp_1")
        timing.packets = frames.count
        timing.packetsBeforeLastToken = frames.count / 2
        send(.responseTiming(timing))
        send(.responseDone(Response(id: "resp_1", status: status, statusDetails: details)))
    }

    /// The frames of a reply: a tone of whole packets of 20 ms.
    static func frames(_ count: Int) throws -> [ServerAudioFrame] {
        var settings = OpusEncoder.Settings()
        settings.sampleRate = 24_000
        let encoder = try OpusEncoder(settings)
        let packets = try encoder.encode(tone(samples: count * encoder.frameSize, sampleRate: 24_000))
        return packets.indices.map { index in
            ServerAudioFrame(
                isFirst: index == 0, isLast: index == packets.count - 1, outputIndex: 0, sequence: UInt32(index),
                mediaTime: UInt64(packets[index].start48k), packet: packets[index].bytes)
        }
    }

    /// Something to hear: two tones that beat.
    static func tone(samples: Int, sampleRate: Int) -> [Float] {
        (0..<samples).map { index in
            let phase = Float(index) / Float(sampleRate) * 2 * .pi
            return 0.25 * sine(220 * phase) + 0.25 * sine(331 * phase)
        }
    }

    private static func sine(_ angle: Float) -> Float {
        // The first terms are close enough for a test tone.
        let wrapped = angle - (angle / (2 * .pi)).rounded() * 2 * .pi
        return wrapped * (1.27323954 - 0.405284735 * abs(wrapped))
    }
}

/// A clock whose time passes only by sleeping, and a little more than asked for each time.
final class SleepingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let time = Mutex(Duration.zero)
    private let lateness: Duration

    init(lateness: Duration = .zero) { self.lateness = lateness }

    var now: Instant { Instant(offset: time.withLock { $0 }) }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline.offset + lateness) }
    }

    /// Time that passes otherwise.
    func pass(_ duration: Duration) { time.withLock { $0 += duration } }
}

/// A value that a script and its test share.
final class Mutexed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
