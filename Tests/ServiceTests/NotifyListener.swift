import Foundation

/// The other end of a notify socket: what a service manager hears.
final class NotifyListener: Sendable {
    /// What `NOTIFY_SOCKET` is set to.
    let name: String
    private let descriptor: Int32

    struct Failure: Error { var code: Int32 }

    /// - Parameter isAbstract: whether the name is one of Linux's abstract ones instead of a file's.
    init(isAbstract: Bool = false) throws {
        let unique = "anygptd-notify-\(UUID().uuidString.prefix(8))"
        name = isAbstract ? "@\(unique)" : FileManager.default.temporaryDirectory.appending(path: unique).path
        var bytes = Array(name.utf8)
        if isAbstract { bytes[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard status == 0 else { throw Failure(code: errno) }
    }

    deinit {
        close(descriptor)
        if name.hasPrefix("/") { unlink(name) }
    }

    /// The next message; nil when none comes in this time. Blocks its thread.
    func receive(within seconds: Double) -> String? {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, Int32(seconds * 1000)) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// The lines of all messages up to the first that has `line`; nil when none comes in this time, or the process ends
    /// that they come from.
    func lines(until line: String, within seconds: Double, of process: Launched? = nil) -> [String]? {
        let end = Date(timeIntervalSinceNow: seconds)
        var lines: [String] = []
        while Date() < end {
            // Before the message is waited for: what it has said at its end is still heard.
            let isRunning = process?.isRunning ?? true
            guard let message = receive(within: min(0.2, max(0, end.timeIntervalSinceNow))) else {
                if isRunning { continue } else { return nil }
            }
            let new = message.split(separator: "\n").map(String.init)
            lines += new
            if new.contains(line) { return lines }
        }
        return nil
    }

    /// How many pings come within this time.
    func pings(within seconds: Double) -> Int {
        let end = Date(timeIntervalSinceNow: seconds)
        var count = 0
        while let message = receive(within: max(0, end.timeIntervalSinceNow)) {
            if message == "WATCHDOG=1" { count += 1 }
        }
        return count
    }
}

/// Runs something that blocks on a thread of its own.
@discardableResult
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}
