import WebSockets
import Wire

/// Why a conversation with the daemon did not come about, or broke off.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The URL is not one that can be connected to.
    case badURL(String)
    /// Nobody takes connections at the URL.
    case notListening(url: String, reason: String)
    /// Somebody answers, but not with the session that was asked for: another program, another path, a full daemon.
    case refused(url: String, status: Int?, reason: String)
    /// The server does not keep to the protocol.
    case wrongProtocol(String)
    /// The server sent an `error` event.
    case server(WireError)
    /// The connection ended before the conversation did.
    case closed(WebSocketClosure)
    /// Everything was sent, and the server heard no speech in it.
    case noSpeechHeard
    /// The server did not take the turn for ended after so much silence.
    case turnDidNotEnd(silence: Duration)
    /// The sound to be sent cannot be read, decoded or encoded.
    case sound(String)

    /// The server ended an answer that it had begun, without completing it.
    case unanswered(status: String, reason: String?)

    /// One line for a terminal.
    public var description: String {
        switch self {
        case .unanswered(let status, let reason):
            "the answer is \(status)\(reason.map { " (\($0))" } ?? ""): the daemon's log may say more"
        case .badURL(let reason): "not a URL to connect to: \(reason)"
        case .notListening(let url, _): "no daemon listens at \(url): start one with `make run`"
        case .refused(let url, let status, let reason): Self.refusal(url, status, reason)
        case .wrongProtocol(let what): "the server does not speak \(OpusSubprotocol.name): \(what)"
        case .server(let error): "the server reports an error: \(error)"
        case .closed(let closure): "the connection ended early: \(Self.ending(closure))"
        case .noSpeechHeard: "the server heard no speech in what was sent"
        case .turnDidNotEnd(let silence):
            "the server did not take the turn for ended after \(silence.components.seconds) s of silence"
        case .sound(let reason): reason
        }
    }

    /// Whether there was no connection to begin with.
    public var isFailureToConnect: Bool {
        switch self {
        case .badURL, .notListening, .refused: true
        default: false
        }
    }

    private static func refusal(_ url: String, _ status: Int?, _ reason: String) -> String {
        switch status {
        case 404: "there is no such door at \(url): the daemon's is /v1/realtime"
        case 503: "the daemon at \(url) has no room for another connection"
        case 400 where url.hasPrefix("ws:"):
            "\(url) refused the connection: where the daemon speaks TLS, the URL begins with wss:"
        case nil where reason.lowercased().contains("certificate"):
            "the certificate at \(url) is not trusted (\(reason)): --cacert names a file of certificates to trust, and the "
                + "URL must name the host that the certificate is for"
        case nil where url.hasPrefix("wss:") && reason.lowercased().contains("ssl"):
            "\(url) does not speak TLS (\(reason)): to a daemon without a certificate the URL begins with ws:"
        case let status?: "\(url) refused the connection with HTTP status \(status)"
        case nil: "\(url) answered, but not as the daemon does: \(reason)"
        }
    }

    private static func ending(_ closure: WebSocketClosure) -> String {
        let reason = closure.reason.isEmpty ? "no reason was given" : closure.reason
        switch closure.initiator {
        case .peer: return "the server closed it with \(closure.code.rawValue) (\(reason))"
        case .local: return "it was closed here (\(reason))"
        case .transport: return reason
        }
    }
}

extension ClientError {
    /// What a failed opening handshake means to whoever wanted to talk.
    init(_ error: WebSocketError) {
        switch error {
        case .url(let url, let reason): self = .badURL("\(url): \(reason)")
        case .connect(let url, nil, let reason) where Self.isUnreachable(reason):
            self = .notListening(url: url, reason: reason)
        case .connect(let url, let status, let reason): self = .refused(url: url, status: status, reason: reason)
        case .configuration, .tls, .bind, .inherited, .setup: self = .sound(error.description)
        }
    }
    private static func isUnreachable(_ reason: String) -> Bool {
        let reason = reason.lowercased()
        return ["refused", "connect failed", "unable to connect", "timed out", "timeout", "unreachable", "dns"]
            .contains { reason.contains($0) }
    }
}
