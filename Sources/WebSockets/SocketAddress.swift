// Which of the two modules sockaddr_storage belongs to depends on which the compiler met first.
import CWebSockets
import Glibc

/// A socket's address in a form for people.
struct SocketAddress {
    /// The numeric address, an IPv4 peer of an IPv6 socket shown as IPv4; of a Unix socket its path, or "a Unix socket".
    let text: String
    /// The port; 0 for a Unix socket.
    let port: UInt16
    /// Whether it is a Unix socket's.
    let isUnix: Bool

    init(_ storage: sockaddr_storage) {
        isUnix = Int32(storage.ss_family) == AF_UNIX
        guard !isUnix else {
            text = Self.path(storage) ?? "a Unix socket"
            port = 0
            return
        }
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

    /// The path that a Unix socket lies at; nil when it has none, as the sockets of most clients.
    private static func path(_ storage: sockaddr_storage) -> String? {
        var storage = storage
        let bytes = withUnsafeBytes(of: &storage) { $0.dropFirst(MemoryLayout<sa_family_t>.size) }
        // An abstract name begins with a zero, which tools write as an @.
        let name = bytes.first == 0 ? bytes.dropFirst() : bytes
        let text = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        return text.isEmpty ? nil : (bytes.first == 0 ? "@" : "") + text
    }
}
