import Foundation

/// A socket of a test, closed with this value.
final class TestSocket: Sendable {
    let descriptor: Int32

    struct Failure: Error { var code: Int32 }

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// A TCP socket on this machine's own address, on a port that the system chose.
    static func tcp(listens: Bool = true) throws -> TestSocket {
        let socket = TestSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, !listens || listen(socket.descriptor, 16) == 0 else { throw Failure(code: errno) }
        return socket
    }

    /// A listening Unix socket in a file.
    static func unix(_ path: String) throws -> TestSocket {
        let socket = TestSocket(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        try onAddress(path) { guard bind(socket.descriptor, $0, $1) == 0 else { throw Failure(code: errno) } }
        guard listen(socket.descriptor, 16) == 0 else { throw Failure(code: errno) }
        return socket
    }

    /// The port of a TCP socket.
    var port: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// A client of a listening TCP socket. It is connected as soon as the system has it in the queue.
    func client() throws -> TestSocket {
        let client = TestSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(code: errno) }
        return client
    }

    /// A client of the Unix socket at a path.
    static func client(_ path: String) throws -> TestSocket {
        let client = TestSocket(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        try onAddress(path) { guard connect(client.descriptor, $0, $1) == 0 else { throw Failure(code: errno) } }
        return client
    }

    private static func onAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// The next bytes as text; nil at the end, or when none come in this time. Blocks its thread.
    func read(within seconds: Int = 60) -> String? {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
