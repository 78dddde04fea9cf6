import Glibc

/// A listening TCP socket. libwebsockets could open one itself, but does not say why it failed, and cannot be told to
/// stop accepting while it goes on serving.
struct ListeningSocket: ~Copyable {
    /// The descriptor; closed with this value unless it was released.
    let descriptor: Int32
    /// The port that is listened on.
    let port: UInt16

    /// Listens on a numeric address; port 0 lets the system choose one.
    init(address: String, port: UInt16) throws(WebSocketError) {
        func failure(_ reason: String) -> WebSocketError { .bind(address: address, port: port, reason: reason) }
        var storage = sockaddr_storage()
        let length = try Self.fill(&storage, address: address, port: port)
        let descriptor = socket(
            Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(Self.lastError()) }
        do throws(WebSocketError) {
            // A restart must not wait for the old connections' TIME_WAIT to pass.
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            let bound = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            guard bound == 0, listen(descriptor, 128) == 0 else { throw failure(Self.lastError()) }
            self.port = try Self.boundPort(descriptor, failure)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    /// Gives the descriptor away.
    consuming func release() -> Int32 {
        let descriptor = self.descriptor
        discard self
        return descriptor
    }

    deinit { close(descriptor) }

    /// Writes the address into `storage`; returns its length.
    private static func fill(
        _ storage: inout sockaddr_storage, address: String, port: UInt16
    ) throws(WebSocketError) -> socklen_t {
        var v4 = sockaddr_in()
        if inet_pton(AF_INET, address, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &storage) { target in withUnsafeBytes(of: v4) { target.copyMemory(from: $0) } }
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        }
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &storage) { target in withUnsafeBytes(of: v6) { target.copyMemory(from: $0) } }
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
        throw .configuration("\"\(address)\" is not a numeric IPv4 or IPv6 address to listen on")
    }

    private static func boundPort(
        _ descriptor: Int32, _ failure: (String) -> WebSocketError
    ) throws(WebSocketError) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard status == 0 else { throw failure(lastError()) }
        return SocketAddress(storage).port
    }

    private static func lastError() -> String { String(cString: strerror(errno)) }
}

/// A socket's address in a form for people.
struct SocketAddress {
    /// The numeric address; an IPv4 peer of an IPv6 socket is shown as IPv4.
    let text: String
    /// The port.
    let port: UInt16

    init(_ storage: sockaddr_storage) {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var storage = storage
        let (pointer, port): (UnsafePointer<CChar>?, UInt16) = withUnsafePointer(to: &storage) { raw in
            if Int32(raw.pointee.ss_family) == AF_INET6 {
                return raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    var address = $0.pointee.sin6_addr
                    return (
                        inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)),
                        UInt16(bigEndian: $0.pointee.sin6_port)
                    )
                }
            }
            return raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                var address = $0.pointee.sin_addr
                return (
                    inet_ntop(AF_INET, &address, &buffer, socklen_t(buffer.count)),
                    UInt16(bigEndian: $0.pointee.sin_port)
                )
            }
        }
        let text = pointer == nil ? "?" : String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        self.text = text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
        self.port = port
    }
}
