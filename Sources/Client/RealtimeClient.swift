import Foundation
import HTTP
import WebSockets
import Wire

/// One session with the daemon, over the subprotocol `anygpt.opus.v1`: JSON events as text, Opus packets as binary
/// messages, both ways.
///
/// Sending may be done from any task; `next` has a single reader, who gets everything in the order it was sent in.
/// Bounded by the WebSocket: when the reader is slow the server is slowed down, when the server is slow `send(packet:)`
/// waits.
public final class RealtimeClient: Sendable {
    /// Who decides that a turn is over.
    public enum TurnEnd: Sendable {
        /// The server, by silence, with its own settings.
        case silence
        /// The client, by committing.
        case commit
    }

    /// Something that the server sent.
    public enum Received: Equatable, Sendable {
        /// A JSON event.
        case event(ServerEvent)
        /// A packet of the reply's sound.
        case audio(ServerAudioFrame)
    }

    /// The session as the server has it.
    public let session: SessionConfiguration
    /// Who decides that a turn is over.
    public let turnEnd: TurnEnd
    private let connection: WebSocketConnection

    private init(_ connection: WebSocketConnection, _ session: SessionConfiguration, _ turnEnd: TurnEnd) {
        self.connection = connection
        self.session = session
        self.turnEnd = turnEnd
    }

    /// Connects, waits for `session.created`, and agrees on who ends a turn.
    ///
    /// - Parameters:
    ///   - url: `ws://host[:port]/v1/realtime`, or `wss:` for TLS.
    ///   - trust: a file of certificates in PEM that are trusted beside the system's.
    ///   - turnEnd: who decides that a turn is over.
    ///   - timeout: for the session to be ready once the connection stands.
    /// - Throws: `ClientError`, or `CancellationError`.
    public static func connect(
        to url: String, trust: String? = nil, turnEnd: TurnEnd = .silence, timeout: Duration = .seconds(30)
    ) async throws -> RealtimeClient {
        let connection: WebSocketConnection
        do {
            connection = try await WebSocketClient.connect(
                url: url, subprotocol: OpusSubprotocol.name, trust: trust)
        } catch {
            throw ClientError(await explained(error, trust))
        }
        do {
            return try await withThrowingTaskGroup { group in
                group.addTask { try await open(connection, turnEnd) }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw ClientError.wrongProtocol("no session was ready after \(timeout.components.seconds) s")
                }
                defer { group.cancelAll() }
                guard let client = try await group.next() else { throw CancellationError() }
                return client
            }
        } catch {
            connection.close()
            throw error
        }
    }

    /// What libwebsockets tells of a failed TLS handshake is a number; libcurl finds words for it.
    private static func explained(_ error: WebSocketError, _ trust: String?) async -> WebSocketError {
        guard case .connect(let url, nil, _) = error, var parts = URLComponents(string: url),
            parts.scheme?.lowercased() == "wss"
        else { return error }
        (parts.scheme, parts.path) = ("https", "/healthz")
        let probe = HTTPTransfer(
            url: parts.string ?? "", trust: trust, usesProxies: false, connecting: .seconds(3), silence: .seconds(3))
        do {
            _ = try await probe.bytes(atMost: 1 << 16)
            return error
        } catch {
            return .connect(url: url, status: nil, reason: error.reason)
        }
    }

    private static func open(_ connection: WebSocketConnection, _ turnEnd: TurnEnd) async throws -> RealtimeClient {
        guard case .event(.sessionCreated(let created)) = try await receive(connection) else {
            throw ClientError.wrongProtocol("its first event is not session.created")
        }
        var update = SessionUpdate()
        switch turnEnd {
        // The daemon's own settings are kept, where it has some.
        case .silence: update.turnDetection = .set(created.turnDetection ?? .serverVAD(TurnDetection.ServerVAD()))
        case .commit: update.turnDetection = .clear
        }
        connection.send(text: ClientMessage(.sessionUpdate(update)).encoded())
        while true {
            switch try await receive(connection) {
            case .event(.sessionUpdated(let session)):
                guard (session.turnDetection == nil) == (turnEnd == .commit) else {
                    throw ClientError.wrongProtocol("it did not take the turn detection that was asked for")
                }
                return RealtimeClient(connection, session, turnEnd)
            case .event(.error(let error)): throw ClientError.server(error)
            default: continue
            }
        }
    }

    /// Sends an event. After the connection's end nothing happens: `next` tells of it.
    public func send(_ event: ClientEvent) {
        connection.send(text: ClientMessage(event).encoded())
    }

    /// Sends an Opus packet, when the server has read enough of those before it. Returns false when the connection is
    /// over, of which `next` tells more.
    @discardableResult
    public func send(packet: [UInt8]) async -> Bool {
        await connection.sendWaiting(binary: ClientAudioFrame(packet: packet).bytes)
    }

    /// Sends a file in pieces, as the number by which an item will name it. Returns false when the connection is over.
    @discardableResult
    public func send(upload bytes: [UInt8], number: UInt32) async -> Bool {
        let piece = 64 << 10
        var start = 0
        repeat {
            let end = min(bytes.count, start + piece)
            let frame = ClientUploadFrame(
                isFirst: start == 0, isLast: end == bytes.count, number: number, bytes: Array(bytes[start..<end]))
            guard await connection.sendWaiting(binary: frame.encoded) else { return false }
            start = end
        } while start < bytes.count
        return true
    }

    /// The next thing that the server sent, `error` events among them.
    ///
    /// - Throws: `ClientError` at the connection's end and for what cannot be understood; `CancellationError`, after
    ///   which nothing is lost.
    public func next() async throws -> Received {
        try await Self.receive(connection)
    }

    /// Says goodbye and waits until the connection is over: at most the two seconds that a close handshake may take.
    public func close() async {
        connection.close()
        // A task of its own: a cancelled one would not wait.
        await Task { [connection] in for await _ in connection.messages {} }.value
    }

    private static func receive(_ connection: WebSocketConnection) async throws -> Received {
        switch await connection.messages.next() {
        case .text(let bytes):
            do {
                return .event(try ServerMessage(parsing: bytes).event)
            } catch {
                throw ClientError.wrongProtocol("an event cannot be read: \(error.message)")
            }
        case .binary(let bytes):
            do {
                return .audio(try ServerAudioFrame(parsing: bytes))
            } catch {
                throw ClientError.wrongProtocol("\(error)")
            }
        case .malformedText: throw ClientError.wrongProtocol("a text message is not UTF-8")
        case .tooLarge(let bytes): throw ClientError.wrongProtocol("a message of \(bytes) bytes is too large")
        case .closed(let closure): throw ClientError.closed(closure)
        case nil: throw CancellationError()
        }
    }
}
