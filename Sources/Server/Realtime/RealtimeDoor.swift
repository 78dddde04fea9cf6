import WebSockets
import Wire

/// How a session and whoever it is held with reach each other. What they say is the same behind every door; how it
/// travels is the door's: JSON and binary messages over a WebSocket, or values within the process.
protocol RealtimeDoor: Sendable {
    /// Who is on the other side, for the log.
    var peer: String { get }
    /// How sound travels.
    var sound: DoorSound { get }

    /// The next thing that came in; nil when the other side is gone.
    func next() async -> DoorArrival?
    /// Sends an event, without waiting.
    func send(_ message: ServerMessage)
    /// Sends some of the reply's sound, without waiting. Sound that travels in events is not sent by this.
    func send(_ sound: AudioOutput.Packet)
    /// Says goodbye. What comes afterwards is not sent.
    func close(code: WebSocketCloseCode, reason: String)
}

/// How sound travels through a door.
enum DoorSound: String, Sendable {
    /// In JSON events, in OpenAI's formats.
    case events
    /// As Opus packets.
    case opus
    /// As samples: 16 kHz in, the model's own rate out.
    case samples

    /// Whether the other side is ours, and is told what OpenAI's clients do not know.
    var isOurs: Bool { self != .events }
}

/// What came in through a door.
enum DoorArrival: Sendable {
    /// An event.
    case message(ClientMessage)
    /// A packet of speech.
    case opus([UInt8])
    /// Speech at 16 kHz.
    case samples([Float])
    /// A piece of a file.
    case upload(ClientUploadFrame)
    /// Something that cannot be understood.
    case refused(WireError)
}

/// The door of the network.
struct WebSocketDoor: RealtimeDoor {
    private let connection: WebSocketConnection
    private let limits: JSONLimits
    let sound: DoorSound

    /// The door that a connection's subprotocol asks for.
    init(_ connection: WebSocketConnection, limits: JSONLimits) {
        self.connection = connection
        self.limits = limits
        sound = connection.subprotocol == OpusSubprotocol.name ? .opus : .events
    }

    var peer: String { connection.remoteAddress }

    func next() async -> DoorArrival? {
        switch await connection.messages.next() {
        case .text(let bytes):
            do { return .message(try ClientMessage(parsing: bytes, limits: limits)) } catch { return .refused(error) }
        case .binary(let bytes):
            guard sound == .opus else {
                return .refused(
                    WireError(.invalidFrame, "Binary messages need the subprotocol \(OpusSubprotocol.name)."))
            }
            if bytes.first == ClientUploadFrame.kind {
                do { return .upload(try ClientUploadFrame(parsing: bytes)) } catch { return .refused(.frame(error)) }
            }
            do { return .opus(try ClientAudioFrame(parsing: bytes).packet) } catch { return .refused(.frame(error)) }
        case .malformedText: return .refused(.notUTF8)
        case .tooLarge(let bytes): return .refused(.tooLarge(bytes: bytes, limit: limits.maxBytes))
        case .closed, nil: return nil
        }
    }

    func send(_ message: ServerMessage) { connection.send(text: message.encoded()) }

    func send(_ sound: AudioOutput.Packet) {
        if case .frame(let frame) = sound { connection.send(binary: frame.bytes) }
    }

    func close(code: WebSocketCloseCode, reason: String) { connection.close(code: code, reason: reason) }
}
