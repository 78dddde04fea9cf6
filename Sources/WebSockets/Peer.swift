/// What the service knows of one socket. Lives in the service's table, on its thread, from the socket's birth until
/// libwebsockets has destroyed it.
final class Peer {
    /// Where a socket is in its life.
    enum Stage {
        /// Accepted; its request has not been read yet.
        case handshake
        /// A plain HTTP request is being answered.
        case exchange(HTTPExchange)
        /// The upgrade was admitted.
        case upgrading(HTTPRequest, subprotocol: String?)
        /// A client's connection is being made.
        case connecting(ClientRequest)
        /// A WebSocket.
        case open(Channel)
    }

    let key: UInt
    let remoteAddress: String
    var stage: Stage
    /// The socket; a client's has none before libwebsockets made it.
    var socket: OpaquePointer?

    init(key: UInt, remoteAddress: String, stage: Stage, socket: OpaquePointer?) {
        self.key = key
        self.remoteAddress = remoteAddress
        self.stage = stage
        self.socket = socket
    }
}

/// The service's side of an open WebSocket.
final class Channel {
    let connection: WebSocketConnection
    var assembler: MessageAssembler
    /// Reading from the socket is switched off because the reader is behind.
    var isPaused = false
    /// Something came in since the timer last ran.
    var wasHeard = true
    /// A ping is to be written.
    var owesPing = false
    /// A ping was sent and nothing was heard since.
    var awaitsPong = false
    /// The close handshake has its deadline.
    var isClosing = false
    /// How the connection ended, as soon as that is known.
    var closure: WebSocketClosure?

    init(connection: WebSocketConnection, limits: WebSocketLimits) {
        self.connection = connection
        assembler = MessageAssembler(limit: limits.maxMessageBytes)
    }
}

/// A plain HTTP exchange.
final class HTTPExchange {
    let request: HTTPRequest
    /// The answer's status line and fields, until they are written; nil before there is an answer, and after that.
    var head: [UInt8]?
    var body = HTTPBody.bytes([])
    /// How much of the body has been written.
    var position = 0
    /// There is an answer.
    var isAnswered = false
    /// Something was written since the timer last ran.
    var progressed = false

    init(request: HTTPRequest) { self.request = request }
}
