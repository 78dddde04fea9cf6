import CWebSockets
import Glibc

/// The files that a server proves with who it is: PEM, the certificate with those that vouch for it behind it.
public struct TLSFiles: Sendable, Equatable {
    /// The path of the certificate's chain.
    public var certificate: String
    /// The path of the private key, without a passphrase.
    public var privateKey: String

    /// Two paths.
    public init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// Tries the files, so that what is wrong with them is told in one line before anything is listened on:
    /// libwebsockets says it in its log alone.
    public func check() throws(WebSocketError) {
        try Self.requireContent(of: certificate, "certificate")
        try Self.requireContent(of: privateKey, "private key")
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .tls("OpenSSL refused to start") }
        defer { SSL_CTX_free(context) }
        // Without this OpenSSL would ask on the terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw .tls("the certificate \(certificate) is not a PEM certificate: \(Self.reason())")
        }
        guard SSL_CTX_use_PrivateKey_file(context, privateKey, SSL_FILETYPE_PEM) == 1 else {
            let isOther = SSL_CTX_check_private_key(context) != 1 && Self.isReadable(privateKey)
            throw isOther
                ? .tls("the private key \(privateKey) does not belong to the certificate \(certificate)")
                : .tls("the private key \(privateKey) is not a PEM key without a passphrase: \(Self.reason())")
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw .tls("the private key \(privateKey) does not belong to the certificate \(certificate)")
        }
    }

    /// Throws when a file that TLS needs cannot be read, or is empty.
    static func requireContent(of path: String, _ what: String) throws(WebSocketError) {
        // A folder can be opened, too, but not read.
        guard let file = HTTPFile(path: path) else {
            let reason = access(path, R_OK) == 0 ? "not a file" : String(cString: strerror(errno))
            throw .tls("the \(what) \(path) cannot be read: \(reason)")
        }
        guard file.count > 0 else { throw .tls("the \(what) \(path) is empty") }
    }

    /// Whether a key can be read by itself, apart from any certificate.
    private static func isReadable(_ path: String) -> Bool {
        guard let context = SSL_CTX_new(TLS_server_method()) else { return false }
        defer { SSL_CTX_free(context) }
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        return SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1
    }

    /// What OpenSSL found wrong, the first of it.
    private static func reason() -> String {
        defer { ERR_clear_error() }
        guard let reason = ERR_reason_error_string(ERR_get_error()) else { return "unknown reason" }
        return String(cString: reason)
    }
}
