import CWebSockets
import Foundation
import Synchronization

/// Opens WebSockets as a client, in plain or over TLS.
public enum WebSocketClient {
    /// Connects and waits for the opening handshake to end.
    ///
    /// Each connection has a service thread of its own, which ends with it.
    ///
    /// - Parameters:
    ///   - url: `ws://host[:port]/path[?query]`, or `wss:` for TLS.
    ///   - subprotocol: The one to offer; the server must choose it. nil offers none.
    ///   - headers: Fields beside those of the handshake, such as `Authorization`.
    ///   - trust: A file of certificates in PEM that are trusted beside the system's.
    ///   - limits: The connection's limits; `handshakeTimeout` bounds the connecting.
    public static func connect(
        url: String, subprotocol: String? = nil, headers: [HTTPResponse.Field] = [],
        trust: String? = nil, limits: WebSocketLimits = WebSocketLimits()
    ) async throws(WebSocketError) -> WebSocketConnection {
        try limits.check()
        let target = try Target(url)
        if let trust { try TLSTrust.check(trust) }
        if let subprotocol, !isToken(subprotocol) || subprotocol.utf8.count > 63 {
            throw .configuration("\"\(subprotocol)\" is not a subprotocol name of at most 63 bytes")
        }
        let service = try Service(
            client: target.isTLS ? .tls(trust: trust) : .plain, subprotocols: subprotocol.map { [$0] } ?? [],
            limits: limits)
        try service.start(name: "ws-client", listening: nil)
        let result: Result<WebSocketConnection, WebSocketError> = await withCheckedContinuation { continuation in
            let request = ClientRequest(
                target: target, subprotocol: subprotocol, headers: headers, continuation: continuation)
            if !service.mailbox.post(.connect(request)) {
                request.fail(status: nil, reason: "the service has ended")
            }
        }
        return try result.get()
    }

    /// Where to connect to.
    struct Target: Sendable {
        let url: String
        let host: String
        let port: UInt16
        let isTLS: Bool
        let pathAndQuery: String

        init(_ url: String) throws(WebSocketError) {
            guard let parts = URLComponents(string: url) else { throw .url(url, reason: "not a URL") }
            guard let scheme = parts.scheme?.lowercased(), ["ws", "wss"].contains(scheme) else {
                throw .url(url, reason: "only ws: and wss: URLs are spoken")
            }
            isTLS = scheme == "wss"
            guard var host = parts.host, !host.isEmpty else { throw .url(url, reason: "no host") }
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard let port = UInt16(exactly: parts.port ?? (isTLS ? 443 : 80)), port > 0 else {
                throw .url(url, reason: "bad port")
            }
            self.url = url
            self.host = host
            self.port = port
            let path = parts.percentEncodedPath
            let query = parts.percentEncodedQuery.map { "?" + $0 } ?? ""
            pathAndQuery = (path.isEmpty ? "/" : path) + query
        }

        /// The Host field.
        var authority: String {
            (host.contains(":") ? "[\(host)]" : host) + (port == (isTLS ? 443 : 80) ? "" : ":\(port)")
        }
    }
}

/// A connection that is being made, and whoever waits for it.
final class ClientRequest: Sendable {
    let target: WebSocketClient.Target
    let subprotocol: String?
    let headers: [HTTPResponse.Field]
    private let continuation: Mutex<CheckedContinuation<Result<WebSocketConnection, WebSocketError>, Never>?>

    init(
        target: WebSocketClient.Target, subprotocol: String?, headers: [HTTPResponse.Field],
        continuation: CheckedContinuation<Result<WebSocketConnection, WebSocketError>, Never>
    ) {
        self.target = target
        self.subprotocol = subprotocol
        self.headers = headers
        self.continuation = Mutex(continuation)
    }

    func succeed(_ connection: WebSocketConnection) {
        take()?.resume(returning: .success(connection))
    }

    /// Only the first outcome counts.
    func fail(status: Int?, reason: String) {
        take()?.resume(returning: .failure(.connect(url: target.url, status: status, reason: reason)))
    }

    private func take() -> CheckedContinuation<Result<WebSocketConnection, WebSocketError>, Never>? {
        continuation.withLock { $0.take() }
    }
}
