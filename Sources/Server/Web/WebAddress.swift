import WebSockets

extension Configuration.Server {
    /// The files for TLS, which were tried; nil where it is not wanted.
    var tls: TLSFiles? {
        get throws {
            switch (certificate.isEmpty, privateKey.isEmpty) {
            case (true, true): return nil
            case (false, false):
                let files = TLSFiles(certificate: certificate, privateKey: privateKey)
                try files.check()
                return files
            case (false, true): throw WebSocketError.tls("server.certificate is set, but server.private_key is not")
            case (true, false): throw WebSocketError.tls("server.private_key is set, but server.certificate is not")
            }
        }
    }
}

enum WebAddress {
    /// An address that is listened on, as it stands in a URL that works on this machine. Browsers give a page their
    /// microphone by the name of localhost, too.
    static func local(_ address: String) -> String {
        for any in ["0.0.0.0:", "[::]:"] where address.hasPrefix(any) {
            return "localhost:" + address.dropFirst(any.count)
        }
        return address
    }
}
