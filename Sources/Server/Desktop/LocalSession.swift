import Client
import WebSockets
import Wire

/// A session within the process: the client's end of it. What the sockets' clients send as JSON and Opus goes as values.
final class LocalSession: LiveLink {
    /// Why there is none.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let session: SessionConfiguration
    let replyRate: Int

    private let door: LocalDoor
    private let serving: Task<Void, Never>

    /// Opens a session and waits until it is there.
    static func open(_ services: RealtimeServices) async throws -> LocalSession {
        let door = LocalDoor()
        let connection = try RealtimeConnection(door, services)
        let serving = Task {
            await connection.run()
            door.outgoing.finish()
        }
        guard case .event(.sessionCreated(let session))? = await door.outgoing.next() else {
            door.incoming.finish()
            throw Failure(description: "the session could not begin")
        }
        return LocalSession(session, services.speechSampleRate, door, serving)
    }

    private init(_ session: SessionConfiguration, _ rate: Int, _ door: LocalDoor, _ serving: Task<Void, Never>) {
        self.session = session
        replyRate = rate
        self.door = door
        self.serving = serving
    }

    func speak(_ samples: [Float]) async throws -> Bool { await door.incoming.offerWaiting(.samples(samples)) }

    func finishSpeech() async throws {}

    func send(_ event: ClientEvent) {
        // As for a peer that does not read: a session that is so far behind ends.
        if !door.incoming.offer(.message(ClientMessage(event))) { door.incoming.finish() }
    }

    func next() async throws -> LiveArrival {
        if let arrival = await door.outgoing.next() { return arrival }
        try Task.checkCancellation()
        throw Failure(description: "the session is over")
    }

    func close() async {
        door.incoming.finish()
        await serving.value
    }
}

/// The server's end of a session within the process.
struct LocalDoor: RealtimeDoor {
    /// Five seconds of speech; a microphone that is not listened to for longer drops the oldest.
    let incoming = LocalQueue<DoorArrival>(limit: 256)
    /// More than the sound that may be ahead of what is heard, and all events of an answer.
    let outgoing = LocalQueue<LiveArrival>(limit: 4096)

    var peer: String { "desktop" }
    var sound: DoorSound { .samples }

    func next() async -> DoorArrival? { await incoming.next() }

    func send(_ message: ServerMessage) { put(.event(message.event)) }

    func send(_ sound: AudioOutput.Packet) {
        if case .samples(let samples) = sound { put(.sound(samples, concealed: 0)) }
    }

    func close(code: WebSocketCloseCode, reason: String) {
        incoming.finish()
        outgoing.finish()
    }

    private func put(_ arrival: LiveArrival) {
        if !outgoing.offer(arrival) { close(code: .policyViolation, reason: "nobody takes what is sent") }
    }
}
