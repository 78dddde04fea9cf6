import CWebSockets
import Glibc

/// Hears the alerts of TLS: the only thing that tells a client that does not trust the certificate from one that has
/// merely gone.
enum TLSAlerts {
    /// Lets `service` hear the fatal alerts of a server's TLS context, on the service's thread.
    static func watch(_ context: OpaquePointer, for service: Service) {
        SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(service).toOpaque())
        SSL_CTX_set_info_callback(context) { session, occasion, value in
            let fatal: Int32 = 2
            guard let session, occasion & SSL_CB_ALERT != 0, value >> 8 == fatal,
                let context = SSL_get_SSL_CTX(session), let owner = SSL_CTX_get_ex_data(context, 0)
            else { return }
            let text = SSL_alert_desc_string_long(value).map { String(cString: $0) } ?? "unknown alert"
            Unmanaged<Service>.fromOpaque(owner).takeUnretainedValue().remark(
                .failedHandshake(alert: text, byClient: occasion & SSL_CB_READ != 0),
                address: SocketAddress(peerOf: SSL_get_fd(session)))
        }
    }
}

extension SocketAddress {
    /// The other end of a connected socket.
    fileprivate init(peerOf descriptor: Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        self.init(storage)
    }
}
