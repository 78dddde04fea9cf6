import Dispatch
import Foundation
import Wire

/// Asks a daemon's `/healthz` how it is: one HTTP request over a socket.
public enum HealthProbe {
    /// Why there is no answer.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The URL is not `http://host[:port]`.
        case badURL(String)
        /// Nobody answers.
        case unreachable(url: String, reason: String)
        /// Somebody answers, but not as a daemon does.
        case notADaemon(url: String, reason: String)

        /// One line for a terminal.
        public var description: String {
            switch self {
            case .badURL(let url): "\(url) is not a URL such as http://127.0.0.1:8787"
            case .unreachable(let url, let reason): "no daemon answers at \(url): \(reason)"
            case .notADaemon(let url, let reason): "what answers at \(url) is not the daemon: \(reason)"
            }
        }
    }

    /// A longer answer is not a daemon's.
    private static let longestAnswer = 1 << 16

    /// Asks once. `url` is `http://host[:port]`; `timeout` is for each of connecting, sending and receiving.
    public static func ask(_ url: String, timeout: Duration = .seconds(3)) async throws(Failure) -> Health {
        guard let parts = URLComponents(string: url), parts.scheme?.lowercased() == "http", let host = parts.host,
            !host.isEmpty, let port = UInt16(exactly: parts.port ?? 80), port > 0
        else { throw .badURL(url) }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let answer: Result<[UInt8], Unreachable> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(Unreachable) in try exchange(host: bare, port: port, timeout: timeout)
                    })
            }
        }
        let bytes: [UInt8]
        do { bytes = try answer.get() } catch { throw .unreachable(url: url, reason: error.reason) }
        return try health(bytes, url: url)
    }

    struct Unreachable: Error { let reason: String }

    static func health(_ bytes: [UInt8], url: String) throws(Failure) -> Health {
        let separator = Array("\r\n\r\n".utf8)
        guard bytes.starts(with: "HTTP/1.".utf8), let end = bytes.firstRange(of: separator) else {
            throw .notADaemon(url: url, reason: bytes.isEmpty ? "it says nothing" : "it does not speak HTTP")
        }
        let line = String(decoding: bytes[..<(bytes.firstIndex(of: 13) ?? 0)], as: UTF8.self)
        guard line.split(separator: " ").dropFirst().first == "200" else {
            throw .notADaemon(url: url, reason: "\"\(line.prefix(60))\" to /healthz")
        }
        do {
            return try Health(parsing: Array(bytes[end.upperBound...]))
        } catch {
            throw .notADaemon(url: url, reason: error.message)
        }
    }

    private static func exchange(host: String, port: UInt16, timeout: Duration) throws(Unreachable) -> [UInt8] {
        let socket = try connect(host: host, port: port, timeout: timeout)
        defer { close(socket) }
        let authority = host.contains(":") ? "[\(host)]" : host
        let request = Array("GET /healthz HTTP/1.1\r\nHost: \(authority):\(port)\r\nConnection: close\r\n\r\n".utf8)
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw failure() }
            sent += count
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while answer.count < longestAnswer, !isWhole(answer) {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count >= 0 else { throw failure() }
            if count == 0 { break }
            answer += buffer[..<count]
        }
        return answer
    }

    /// Whether as many bytes of the body are there as the head announces.
    private static func isWhole(_ answer: [UInt8]) -> Bool {
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
        let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self).lowercased()
        guard let field = head.components(separatedBy: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
            let length = Int(field.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces))
        else { return false }
        return answer.count - end.upperBound >= length
    }

    /// A connected socket, which the caller closes.
    static func connect(host: String, port: UInt16, timeout: Duration) throws(Unreachable) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else { throw Unreachable(reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        // On Linux the time for sending is that for connecting, too.
        let (seconds, attoseconds) = timeout.components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        var reason = "the name has no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let socket = socket(
                address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), address.ai_protocol)
            guard socket >= 0 else {
                reason = String(cString: strerror(errno))
                continue
            }
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
            if Foundation.connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return socket }
            reason = failure().reason
            close(socket)
        }
        throw Unreachable(reason: reason)
    }

    static func failure() -> Unreachable {
        // What a socket with a time limit says when it is over.
        let isTimeout = errno == EAGAIN || errno == EINPROGRESS
        return Unreachable(reason: isTimeout ? "it takes too long" : String(cString: strerror(errno)).lowercased())
    }
}
