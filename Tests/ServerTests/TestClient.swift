import Audio
import WebSockets
import Wire

/// A client that sends what a test wants, and sees everything that comes.
final class TestClient: Sendable {
    let connection: WebSocketConnection

    init(port: UInt16, subprotocol: String? = OpusSubprotocol.name) async throws {
        connection = try await WebSocketClient.connect(
            url: "ws://127.0.0.1:\(port)/v1/realtime", subprotocol: subprotocol)
    }

    struct Unexpected: Error, CustomStringConvertible {
        var description: String
    }

    /// One thing that came in.
    struct Incoming: Sendable {
        var event: ServerEvent?
        var frame: ServerAudioFrame?
        var name = ""

        var error: WireError? { if case .error(let error)? = event { error } else { nil } }
    }

    /// Everything up to a `response.done`.
    struct Turn: Sendable {
        var names: [String] = []
        var frames: [ServerAudioFrame] = []
        var items: [String] = []
        var transcript = ""
        var reply = ""
        var timing: ResponseTiming?
        var done: Response?
    }

    func send(_ json: String) throws {
        guard connection.send(text: json) else { throw Unexpected(description: "the connection is closed") }
    }

    /// Sends samples at 16 kHz as 20 ms Opus packets, as fast as they are taken: time is the samples', not the clock's.
    func speak(_ samples: [Float]) async throws {
        let encoder = try OpusEncoder()
        for packet in try encoder.encode(samples) + encoder.finish() {
            guard await connection.sendWaiting(binary: ClientAudioFrame(packet: packet.bytes).bytes) else {
                throw Unexpected(description: "the connection is closed")
            }
        }
    }

    func receive() async throws -> Incoming {
        guard let message = await connection.messages.next() else { throw Unexpected(description: "nothing came") }
        switch message {
        case .text(let bytes):
            let event = try ServerMessage(parsing: bytes).event
            return Incoming(event: event, name: event.type)
        case .binary(let bytes): return Incoming(frame: try ServerAudioFrame(parsing: bytes))
        default: throw Unexpected(description: "\(message)")
        }
    }

    func next(where wanted: (Incoming) -> Bool) async throws -> Incoming {
        while true {
            let incoming = try await receive()
            if wanted(incoming) { return incoming }
        }
    }

    func untilDone() async throws -> Turn {
        var turn = Turn()
        while true {
            let incoming = try await receive()
            if let frame = incoming.frame { turn.frames.append(frame) }
            guard let event = incoming.event else { continue }
            turn.names.append(incoming.name)
            switch event {
            case .inputTranscriptionDelta(let delta): turn.transcript += delta.delta
            case .outputTranscriptDelta(_, let delta), .outputTextDelta(_, let delta): turn.reply += delta
            case .conversationItemAdded(let placement): turn.items.append(placement.item.id ?? "")
            case .responseTiming(let timing): turn.timing = timing
            case .responseDone(let response):
                turn.done = response
                return turn
            case .error(let error): throw Unexpected(description: "\(error)")
            default: break
            }
        }
    }

    /// How the connection ended; what comes before that is passed over.
    func closure() async throws -> WebSocketClosure {
        for await case .closed(let closure) in connection.messages { return closure }
        throw Unexpected(description: "the connection did not close")
    }

    func close() async {
        connection.close()
        _ = try? await closure()
    }
}
