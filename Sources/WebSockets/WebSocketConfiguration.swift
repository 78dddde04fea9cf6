import Glibc

/// The limits of one connection, the same on both sides of it.
public struct WebSocketLimits: Sendable {
    /// The longest message that is delivered, in bytes; a longer one is skipped and reported as `.tooLarge`.
    public var maxMessageBytes = 1 << 20
    /// How many messages wait for the reader before the service stops reading from the socket. While it doesn't read,
    /// the peer's pings wait as well: a reader that stays behind for as long as the peer waits for an answer loses it.
    public var inboundMessages = 64
    /// How many bytes wait for the reader before the service stops reading from the socket. The queue holds at most
    /// this and one message more.
    public var inboundBytes = 2 << 20
    /// How many bytes of messages wait to be written. `sendWaiting` waits at the half of it; `send` that would go
    /// beyond it closes the connection with 1008.
    public var outboundBytes = 4 << 20
    /// How long nothing may be heard from the peer before it is sent a ping; after as long again without an answer
    /// the connection is given up. Does not run while our own reader is the one who is slow.
    public var pingInterval: Duration = .seconds(20)
    /// How long a close handshake may take before the socket is closed anyway.
    public var closeTimeout: Duration = .seconds(2)
    /// How long an opening handshake, or one HTTP exchange's progress, may take.
    public var handshakeTimeout: Duration = .seconds(10)

    /// The defaults written beside the properties.
    public init() {}
}

/// Where and what a server serves.
public struct WebSocketServerConfiguration: Sendable {
    /// The numeric address to listen on: IPv4, or IPv6 without brackets ("::" takes both families).
    public var bindAddress = "127.0.0.1"
    /// The TCP port; 0 lets the system choose, see `WebSocketServer.port`.
    public var port: UInt16 = 0
    /// The paths that take WebSockets; an upgrade on another path gets a 404.
    public var paths: [String] = ["/"]
    /// The subprotocols that are spoken, by their registered names. A client that offers only others is refused; one
    /// that offers none is accepted.
    public var subprotocols: [String] = []
    /// The origins of other sites' pages that may open WebSockets: "https://voice.example.org". The server's own pages
    /// may, and so may programs that are no browsers, which send no origin; every other page gets a 403.
    public var allowedOrigins: [String] = []
    /// With these files TLS is spoken, and nothing but TLS; nil: plain HTTP.
    public var tls: TLSFiles?
    /// Hears what whoever runs the server may want to know of its clients. Called on the service's thread; must not block.
    public var remarks: @Sendable (WebSocketRemark) -> Void = { _ in }
    /// How many WebSocket connections there may be at once; a further one gets a 503.
    public var maxConnections = 64
    /// The limits of each connection.
    public var limits = WebSocketLimits()
    /// The service thread's name, at most 15 bytes.
    public var threadName = "ws-service"

    /// The defaults written beside the properties.
    public init() {}
}

/// Why a server could not start or a client could not connect.
public enum WebSocketError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A value of the configuration, and what is wrong with it.
    case configuration(String)
    /// A file that TLS needs, and what is wrong with it.
    case tls(String)
    /// The address could not be listened on, and the system's error number.
    case bind(address: String, port: UInt16, code: Int32)
    /// A listening socket that was to be taken over is none, and why.
    case inherited(String)
    /// libwebsockets could not set itself up.
    case setup(String)
    /// The URL is not one that can be connected to.
    case url(String, reason: String)
    /// The connection did not come about; `status` is the HTTP status where the server answered with one.
    case connect(url: String, status: Int?, reason: String)

    /// One line for a log or a terminal.
    public var description: String {
        switch self {
        case .configuration(let reason): "WebSocket configuration: \(reason)"
        case .tls(let reason): "cannot speak TLS: \(reason)"
        case .bind(let address, let port, let code):
            "cannot listen on \(address) port \(port): \(String(cString: strerror(code)))"
        case .inherited(let reason): "cannot take over the listening socket: \(reason)"
        case .setup(let reason): "cannot start the WebSocket service: \(reason)"
        case .url(let url, let reason): "\(url): \(reason)"
        case .connect(let url, let status, let reason):
            "cannot connect to \(url): \(reason)" + (status.map { " (HTTP status \($0))" } ?? "")
        }
    }
}
