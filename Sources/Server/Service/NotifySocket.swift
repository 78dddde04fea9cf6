import Foundation

/// The socket on which a service manager wants to hear how a service is: datagrams of `KEY=value` lines, as sd_notify(3)
/// describes them.
public final class NotifySocket: Sendable {
    /// Something to tell.
    public enum Message: Equatable, Sendable {
        /// Whoever connects is answered from now on.
        case ready
        /// The end has begun.
        case stopping
        /// The service lives.
        case watchdog
        /// What it is doing, in a line for people.
        case status(String)
        /// It takes longer, but at most so long from now.
        case extendTimeout(Duration)

        var line: String {
            switch self {
            case .ready: "READY=1"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            case .status(let text): "STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")
            case .extendTimeout(let time): "EXTEND_TIMEOUT_USEC=\(Int64(time / .microseconds(1)))"
            }
        }
    }

    private let descriptor: Int32
    private let address: sockaddr_un
    private let length: socklen_t

    /// - Parameter name: a path, or an abstract name behind an `@`, as `NOTIFY_SOCKET` has it.
    public init(_ name: String) throws(DaemonFailure) {
        func refusal(_ reason: String) -> DaemonFailure { .configuration("NOTIFY_SOCKET=\(name): \(reason)") }
        guard name.hasPrefix("/") || name.hasPrefix("@"), name.utf8.count > 1 else {
            throw refusal("neither a path nor an abstract name")
        }
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw refusal("the name is too long") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        self.address = address
        length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw refusal(String(cString: strerror(errno))) }
        // A manager that does not read must not stop the service for long.
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Tells the manager. False when it could not be told: nothing depends on that here, and it will find out itself.
    @discardableResult
    public func send(_ messages: Message...) -> Bool {
        let text = Array(messages.map(\.line).joined(separator: "\n").utf8)
        var address = address
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
        return sent == text.count
    }
}
