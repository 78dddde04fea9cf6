import CWebSockets

/// Whose certificates a client trusts.
enum TLSTrust {
    /// Tries a file of certificates in PEM, so that what is wrong with it is told in one line: libwebsockets says it in its
    /// log alone.
    static func check(_ path: String) throws(WebSocketError) {
        try TLSFiles.requireContent(of: path, "file of certificates")
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .tls("OpenSSL refused to start") }
        defer { SSL_CTX_free(context) }
        ERR_clear_error()
        guard SSL_CTX_load_verify_locations(context, path, nil) == 1 else {
            ERR_clear_error()
            throw .tls("\(path) holds no PEM certificate")
        }
    }

    /// Lets a client's TLS context trust each certificate that it is given, also one that vouches for no other: the daemon's
    /// own. libcurl does the same.
    static func acceptLeaves(_ context: OpaquePointer) {
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }
}
