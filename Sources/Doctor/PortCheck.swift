import Client
import Foundation
import Server
import Wire

/// Whether the daemon can listen, or does.
enum PortCheck {
    static func finding(_ server: Configuration.Server) async -> Finding {
        guard server.port > 0 else { return .ok("port", "any that is free (port = 0)") }
        let trust = server.certificate.isEmpty ? nil : server.certificate
        let url = "http\(trust == nil ? "" : "s")://\(server.reachableHost):\(server.port)"
        if let health = try? await HealthProbe.ask(url, trust: trust) {
            return .ok("port", "\(server.port): anygptd \(health.version) is running there")
        }
        switch bindError(server) {
        case 0: return .ok("port", "\(server.port) is free")
        case EADDRINUSE:
            return .fault(
                "port", "\(server.port) is taken by something that is not the daemon",
                "set server.port to another number, or stop what listens there (ss -ltnp shows it)")
        case EACCES:
            return .fault(
                "port", "\(server.port) may not be listened on by this user",
                "set server.port to 1024 or more, or let systemd hand the socket over")
        case let error:
            return .fault(
                "port", "\(server.host) port \(server.port): \(String(cString: strerror(error)))",
                "set server.host to an address of this machine; 127.0.0.1 is this machine alone")
        }
    }

    /// What listening there fails with; 0 for nothing. The socket is closed again at once.
    private static func bindError(_ server: Configuration.Server) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(server.host, String(server.port), &hints, &found) == 0, let address = found else {
            return EADDRNOTAVAIL
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, address.pointee.ai_protocol)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else { return errno }
        return listen(descriptor, 1) == 0 ? 0 : errno
    }
}
