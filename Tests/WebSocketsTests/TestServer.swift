import Synchronization
import Testing

@testable import WebSockets

/// A server on a port of its own that is shut down when the body is over.
@discardableResult
func withServer<Result: Sendable>(
    _ configure: (inout WebSocketServerConfiguration) -> Void = { _ in },
    http: @escaping @Sendable (HTTPRequest) async -> HTTPResponse = { _ in .text(404, "nothing") },
    handler: @escaping @Sendable (WebSocketConnection) async -> Void = echo,
    _ body: (WebSocketServer) async throws -> Result
) async throws -> Result {
    var configuration = WebSocketServerConfiguration()
    configuration.paths = ["/echo"]
    configuration.subprotocols = ["anygpt.opus.v1", "realtime"]
    configure(&configuration)
    let server = try WebSocketServer(configuration: configuration, http: http, handler: handler)
    do {
        let result = try await body(server)
        await server.shutdown()
        return result
    } catch {
        await server.shutdown()
        throw error
    }
}

/// Sends back what comes in, and says what was dropped.
@Sendable func echo(_ connection: WebSocketConnection) async {
    for await message in connection.messages {
        switch message {
        case .text(let bytes): await connection.sendWaiting(text: bytes)
        case .binary(let bytes): await connection.sendWaiting(binary: bytes)
        case .tooLarge(let bytes): connection.send(text: "too large: \(bytes)")
        case .malformedText(let bytes): connection.send(text: "malformed: \(bytes)")
        case .closed: return
        }
    }
}

extension WebSocketServer {
    /// The echo path's URL.
    var url: String { "ws://127.0.0.1:\(port)/echo" }
}

extension WebSocketConnection {
    /// The next message, or nil at the end.
    func receive() async -> WebSocketMessage? { await messages.next() }
}

/// What a body learned, for a test to look at.
final class Recorder<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func add(_ value: Value) { values.withLock { $0.append(value) } }

    var all: [Value] { values.withLock { $0 } }
}

/// Waits until `condition` holds, at most `limit`.
func eventually(within limit: Duration = .seconds(20), _ condition: () -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while clock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}
