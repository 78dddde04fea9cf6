/// What a connection hands to its reader.
public enum WebSocketMessage: Sendable, Equatable {
    /// A whole text message; the bytes are valid UTF-8.
    case text([UInt8])
    /// A whole binary message.
    case binary([UInt8])
    /// A text message whose bytes are not UTF-8 was dropped; its length in bytes.
    case malformedText(bytes: Int)
    /// A message longer than the configured limit was skipped as it came in; its length in bytes.
    case tooLarge(bytes: Int)
    /// The connection is over. Always the last element, delivered exactly once.
    case closed(WebSocketClosure)
}

/// The status of a close frame (RFC 6455, section 7.4).
public struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// Any number; those that may be sent are `isSendable`.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 1000: the purpose of the connection is fulfilled.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// 1001: the endpoint is going away, such as a server that shuts down.
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    /// 1002: the peer broke the WebSocket protocol.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// 1005: the peer's close frame held no code. Never sent.
    public static let noStatus = WebSocketCloseCode(rawValue: 1005)
    /// 1006: the connection was lost without a close frame. Never sent.
    public static let abnormal = WebSocketCloseCode(rawValue: 1006)
    /// 1008: the peer broke a rule of ours, such as reading too slowly.
    public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    /// 1009: a message was too big.
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
    /// 1011: an error of ours.
    public static let internalError = WebSocketCloseCode(rawValue: 1011)

    /// Whether the code may stand in a close frame that libwebsockets peers pass on unchanged (it replaces 1012 to
    /// 1014 with 1002 on the receiving side).
    public var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1011, 3000...4999: true
        default: false
        }
    }
}

/// How and by whom a connection was ended.
public struct WebSocketClosure: Sendable, Equatable {
    /// Who ended the connection.
    public enum Initiator: Sendable, Equatable {
        /// Our side called `close`, or broke off because of a limit.
        case local
        /// The peer sent a close frame.
        case peer
        /// The transport failed, or the peer fell silent.
        case transport
    }

    /// The close frame's code; `.noStatus` or `.abnormal` where there was none.
    public var code: WebSocketCloseCode
    /// The close frame's reason, or ours; may be empty.
    public var reason: String
    /// Who ended the connection.
    public var initiator: Initiator

    /// A closure made of its parts.
    public init(code: WebSocketCloseCode, reason: String, initiator: Initiator) {
        self.code = code
        self.reason = reason
        self.initiator = initiator
    }

    /// What is reported when the socket went away without a word.
    static let lost = WebSocketClosure(code: .abnormal, reason: "the connection was lost", initiator: .transport)
}
