import Glibc

/// A stream socket that a server takes its connections from: one of our own, bound to an address, or one that a service
/// manager opened. libwebsockets could open one itself, but does not say why it failed, and cannot be told to stop
/// accepting while it goes on serving.
public struct ListeningSocket: ~Copyable, Sendable {
    /// Closed with this value, unless it was released.
    private let descriptor: OwnedDescriptor
    /// The address that is listened on: numeric, or a Unix socket's path.
    public let address: String
    /// The port; 0 for a Unix socket.
    public let port: UInt16
    /// Whether it is a Unix socket.
    public let isUnix: Bool

    /// The address and port as URLs have them.
    public var url: String { (address.contains(":") ? "[\(address)]" : address) + ":\(port)" }

    /// Takes a numeric address, so that nobody else can listen there; port 0 lets the system choose one. Who connects
    /// is refused until the server starts.
    public init(address: String, port: UInt16) throws(WebSocketError) {
        func failure() -> WebSocketError { .bind(address: address, port: port, code: errno) }
        var storage = sockaddr_storage()
        let length = try Self.fill(&storage, address: address, port: port)
        let descriptor = OwnedDescriptor(
            number: socket(Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard descriptor.number >= 0 else { throw failure() }
        // A restart must not wait for the old connections' TIME_WAIT to pass.
        var yes: Int32 = 1
        setsockopt(descriptor.number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor.number, $0, length) }
        }
        guard bound == 0, let own = Self.ownAddress(of: descriptor.number) else { throw failure() }
        self.descriptor = descriptor
        self.address = address
        self.port = own.port
        isUnix = false
    }

    /// Takes over a socket that listens already, TCP or Unix. Connections that came before stay in its queue. It is
    /// closed with this value, also when it is refused.
    public init(adopting number: Int32) throws(WebSocketError) {
        let descriptor = OwnedDescriptor(number: number)
        let own = try Self.check(number)
        // Programs that are started from here have no business with it.
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        // Accepting goes on until nothing waits, and must not wait itself.
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw .inherited("descriptor \(number): \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
        (address, port, isUnix) = (own.text, own.port, own.isUnix)
    }

    /// Begins to take connections; a socket that was taken over does already.
    func listen() throws(WebSocketError) {
        guard isListening(descriptor.number) || Glibc.listen(descriptor.number, 128) == 0 else {
            throw .bind(address: address, port: port, code: errno)
        }
    }

    /// Gives the descriptor away.
    consuming func release() -> Int32 { descriptor.release() }

    /// Refuses what connections cannot be taken from; gives its address.
    private static func check(_ descriptor: Int32) throws(WebSocketError) -> SocketAddress {
        func refusal(_ what: String) -> WebSocketError { .inherited("descriptor \(descriptor) \(what)") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refusal("is not open") }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw refusal("is not a socket") }
        guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue) else {
            throw refusal("is not a stream socket")
        }
        guard let family = option(SO_DOMAIN, of: descriptor), [AF_INET, AF_INET6, AF_UNIX].contains(family) else {
            throw refusal("is neither a TCP nor a Unix socket")
        }
        guard isListening(descriptor) else { throw refusal("does not listen: it is one connection") }
        guard let address = ownAddress(of: descriptor) else { throw refusal("has no address") }
        return address
    }

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

    private static func ownAddress(of descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return status == 0 ? SocketAddress(storage) : nil
    }
}

/// The owner of a descriptor. Not private: other modules need its metadata to move a socket.
struct OwnedDescriptor: ~Copyable {
    let number: Int32

    consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit { if number >= 0 { close(number) } }
}

/// A socket's option that is a number.
private func option(_ name: Int32, of descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
}

private func isListening(_ descriptor: Int32) -> Bool { option(SO_ACCEPTCONN, of: descriptor) == 1 }
