import Synchronization

/// A WebSocket and HTTP server on libwebsockets, with one service thread.
///
/// It runs until `shutdown` and must be shut down: the thread keeps it alive.
public final class WebSocketServer: Sendable {
    /// The port that is listened on; the system's choice where the configuration said 0.
    public let port: UInt16
    private let service: Service

    /// Starts listening and serving.
    ///
    /// - Parameters:
    ///   - configuration: Where and what.
    ///   - socket: Where connections come from; nil listens where the configuration says.
    ///   - http: Answers plain GET and HEAD requests on all paths but the WebSockets'. Called on the cooperative pool.
    ///   - handler: Lives with one connection, in a task of its own; the connection is closed when it returns.
    public init(
        configuration: WebSocketServerConfiguration,
        listening socket: consuming ListeningSocket? = nil,
        http: @escaping @Sendable (HTTPRequest) async -> HTTPResponse = { _ in .text(404, "There is nothing here.") },
        handler: @escaping @Sendable (WebSocketConnection) async -> Void
    ) throws(WebSocketError) {
        try Self.check(configuration)
        let socket =
            if let socket { socket } else {
                try ListeningSocket(address: configuration.bindAddress, port: configuration.port)
            }
        try socket.listen()
        port = socket.port
        let role = Service.ServerRole(
            configuration: configuration, origins: OriginRule(allowed: configuration.allowedOrigins),
            http: http, handler: handler)
        service = try Service(server: role, subprotocols: configuration.subprotocols, limits: configuration.limits)
        try service.start(name: configuration.threadName, listening: socket)
    }

    /// How many WebSockets are open now.
    public var liveConnections: Int { service.liveConnections.load(ordering: .relaxed) }

    /// Calls `body` on the service thread, on its next round: a thread that hangs never does.
    public func onNextRound(_ body: @escaping @Sendable () -> Void) { service.mailbox.post(.call(body)) }

    /// Stops accepting, sends every client a close frame with 1001, waits for their goodbye at most `grace`, and ends
    /// the service thread. After it every connection has delivered `.closed`. May be called more than once.
    public func shutdown(grace: Duration = .seconds(1)) async {
        await service.shutDown(grace: grace)
    }

    private static func check(_ configuration: WebSocketServerConfiguration) throws(WebSocketError) {
        guard (1...16384).contains(configuration.maxConnections) else {
            throw .configuration("the number of connections must be between 1 and 16384")
        }
        for name in configuration.subprotocols where !isToken(name) || name.utf8.count > 63 {
            throw .configuration("\"\(name)\" is not a subprotocol name of at most 63 bytes")
        }
        for path in configuration.paths where !path.hasPrefix("/") {
            throw .configuration("the path \"\(path)\" does not begin with a slash")
        }
        for problem in configuration.allowedOrigins.compactMap(OriginRule.problem) { throw .configuration(problem) }
        try configuration.limits.check()
        try configuration.tls?.check()
    }
}

extension WebSocketLimits {
    /// Refuses limits that could never work.
    func check() throws(WebSocketError) {
        guard maxMessageBytes > 0, inboundMessages > 0, inboundBytes > 0, outboundBytes > 0 else {
            throw .configuration("the limits of a connection must be positive")
        }
        guard pingInterval > .zero, closeTimeout > .zero, handshakeTimeout > .zero else {
            throw .configuration("the times of a connection must be positive")
        }
    }
}
