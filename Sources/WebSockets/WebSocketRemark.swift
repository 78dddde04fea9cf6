/// Something about a client that whoever runs the server may want to know: why it was turned away, in one line.
///
/// Each kind is told at most once in `interval`, whatever comes in; `unreported` says how many others there were since.
public struct WebSocketRemark: Sendable, Equatable, CustomStringConvertible {
    /// What happened.
    public enum Kind: Sendable, Equatable {
        /// A page of another site asked for a WebSocket.
        case foreignOrigin(origin: String, host: String)
        /// A page of a name that its owner may have pointed at this server asked for a WebSocket, over plain HTTP.
        case anybodysName(origin: String)
        /// Plain HTTP came in where TLS is spoken.
        case plainHTTP
        /// TLS came in where plain HTTP is spoken.
        case unexpectedTLS
        /// Neither HTTP nor TLS came in.
        case notHTTP
        /// The TLS handshake failed; what was said to whom.
        case failedHandshake(alert: String, byClient: Bool)
    }

    /// What happened.
    public var kind: Kind
    /// The client's numeric address.
    public var address: String
    /// How many of the same kind were not told since the last one.
    public var unreported = 0

    /// How far apart remarks of one kind are at least.
    static let interval: Duration = .seconds(10)

    /// One line for a log.
    public var description: String {
        let others = unreported == 0 ? "" : " (and \(unreported) times more, not logged one by one)"
        return text + others
    }

    private var text: String {
        switch kind {
        case .foreignOrigin(let origin, let host): refused(origin, "which is not \(host)")
        case .anybodysName(let origin): refused(origin, "a name that anybody may own")
        case .plainHTTP: "\(address) speaks plain HTTP to a TLS port: it has to use https:// and wss://"
        case .unexpectedTLS:
            "\(address) speaks TLS to a plain port: it has to use http:// and ws://,"
                + " or server.certificate has to be set"
        case .notHTTP: "\(address) speaks a protocol that is neither HTTP nor a WebSocket"
        case .failedHandshake(let alert, true):
            "\(address) broke the TLS handshake off (\(alert)): it may not trust the certificate"
        case .failedHandshake(let alert, false): "the TLS handshake with \(address) failed (\(alert))"
        }
    }
}

extension WebSocketRemark {
    private func refused(_ origin: String, _ reason: String) -> String {
        "refused a page of \(origin), \(reason): list it in server.allowed_origins if it may come in (client \(address))"
    }
}

/// Lets remarks through, but not a flood of them. Bound: one entry for each kind.
struct RemarkLimiter {
    private var last: [Int: ContinuousClock.Instant] = [:]
    private var suppressed: [Int: Int] = [:]

    /// The remark to be told now, or nil.
    mutating func admit(_ remark: WebSocketRemark, at now: ContinuousClock.Instant = .now) -> WebSocketRemark? {
        let kind = remark.kind.number
        if let last = last[kind], now - last < WebSocketRemark.interval {
            suppressed[kind, default: 0] += 1
            return nil
        }
        last[kind] = now
        var remark = remark
        remark.unreported = suppressed.removeValue(forKey: kind) ?? 0
        return remark
    }
}

extension WebSocketRemark.Kind {
    fileprivate var number: Int {
        switch self {
        case .foreignOrigin: 0
        case .anybodysName: 1
        case .plainHTTP: 2
        case .unexpectedTLS: 3
        case .notHTTP: 4
        case .failedHandshake: 5
        }
    }
}
