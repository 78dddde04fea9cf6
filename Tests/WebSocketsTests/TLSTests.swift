import CWebSockets
import Dispatch
import Foundation
import TestSupport
import Testing

@testable import WebSockets

/// TLS with certificates that are made on the spot.
@Suite(.serialized) struct TLSTests {
    /// A folder with a certificate, its key, a foreign key and an encrypted one; gone after the body.
    private static func withFiles(_ body: (_ folder: String, TLSFiles) async throws -> Void) async throws {
        try await Certificates.withFolder { folder in
            let (key, certificate) = (folder + "/key.pem", folder + "/certificate.pem")
            try Certificates.makeSelfSigned(in: folder)
            try Certificates.openssl("ecparam", "-genkey", "-name", "prime256v1", "-out", folder + "/foreign.pem")
            try Certificates.openssl(
                "ec", "-in", key, "-aes128", "-passout", "pass:abcd", "-out", folder + "/locked.pem")
            try Data("hello".utf8).write(to: URL(filePath: folder + "/text.pem"))
            try Data().write(to: URL(filePath: folder + "/empty.pem"))
            try await body(folder, TLSFiles(certificate: certificate, privateKey: key))
        }
    }

    @Test func bodiesAndWebSocketsTravelThroughTLS() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        try await Self.withFiles { _, files in
            try await withServer({ $0.tls = files }, http: { _ in HTTPResponse(status: 200, body: bytes) }) { server in
                let page = try #require(TLSSocket(port: server.port))
                page.send(Array("GET /large HTTP/1.0\r\n\r\n".utf8))
                var all: [UInt8] = []
                while let more = await page.receive() { all += more }
                #expect(all.starts(with: Array("HTTP/1.1 200".utf8)) && all.suffix(3_000_000) == bytes[...])

                let socket = try #require(TLSSocket(port: server.port))
                socket.send(Array(RawSocket.handshake(extra: "Origin: https://127.0.0.1\r\n").utf8))
                #expect(await socket.receive()?.starts(with: Array("HTTP/1.1 101".utf8)) == true)
                // Many frames at once: what OpenSSL has decrypted already is not forgotten.
                let frames = (0..<50).map { RawSocket.frame(0x82, Array(repeating: UInt8($0), count: 1000)) }
                socket.send(frames.flatMap { $0 })
                var echoed = 0
                while echoed < 50 * 1004, let more = await socket.receive() { echoed += more.count }
                #expect(echoed == 50 * 1004)
            }
        }
    }

    @Test func whoSpeaksSomethingElseIsToldSoAndDoesNoHarm() async throws {
        let remarks = Recorder<WebSocketRemark>()
        try await Self.withFiles { _, files in
            try await withServer {
                $0.tls = files
                $0.remarks = { remarks.add($0) }
            } _: { server in
                for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", RawSocket.handshake()] {
                    let plain = RawSocket(port: server.port)
                    plain.send(request)
                    let answer = await plain.receiveAll()
                    #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("https://"))
                }
                #expect(remarks.all.map(\.kind) == [.plainHTTP])
                // A client that trusts no certificate of ours.
                #expect(TLSSocket(port: server.port, trusts: false) == nil)
                #expect(await eventually { remarks.all.count == 2 })
                #expect(remarks.all.last?.kind == .failedHandshake(alert: "unknown CA", byClient: true))
                var generator = SplitMix(state: 7)
                for first in [0x16, 0x00, 0x80, 0xFF] as [UInt8] {
                    let garbage = RawSocket(port: server.port)
                    garbage.send([first] + (0..<500).map { _ in UInt8.random(in: 0...255, using: &generator) })
                    #expect(await garbage.receiveAll().count < 100)
                }
                let words = RawSocket(port: server.port)
                words.send("EHLO example.org\r\n")
                #expect(await words.receive() == nil)
                #expect(remarks.all.contains { $0.kind == .notHTTP })
                #expect(TLSSocket(port: server.port) != nil)
            }
        }
    }

    @Test func otherProtocolsOnAPlainPortAreToldOf() async throws {
        let remarks = Recorder<WebSocketRemark>()
        try await withServer {
            $0.remarks = { remarks.add($0) }
        } _: { server in
            #expect(TLSSocket(port: server.port) == nil)
            let garbage = RawSocket(port: server.port)
            garbage.send([1, 2, 3] + Array("garbage".utf8))
            #expect(await garbage.receive() == nil)
            #expect(await eventually { remarks.all.count == 2 })
        }
        #expect(remarks.all.map(\.kind) == [.unexpectedTLS, .notHTTP])
    }

    @Test func filesThatDoNotFitStopTheStartWithOneLine() async throws {
        try await Self.withFiles { folder, files in
            for (certificate, key, words) in [
                ("none.pem", "key.pem", "none.pem cannot be read: No such file"),
                ("certificate.pem", "none.pem", "none.pem cannot be read: No such file"),
                ("text.pem", "key.pem", "text.pem is not a PEM certificate"),
                ("empty.pem", "key.pem", "empty.pem is empty"),
                ("certificate.pem", "text.pem", "text.pem is not a PEM key"),
                ("certificate.pem", "foreign.pem", "does not belong to the certificate"),
                ("certificate.pem", "locked.pem", "without a passphrase"),
                ("", "key.pem", "cannot be read: not a file"),
            ] {
                var configuration = WebSocketServerConfiguration()
                configuration.tls = TLSFiles(certificate: "\(folder)/\(certificate)", privateKey: "\(folder)/\(key)")
                let error = #expect(throws: WebSocketError.self) {
                    try WebSocketServer(configuration: configuration, handler: echo)
                }
                let line = error?.description ?? ""
                #expect(line.hasPrefix("cannot speak TLS: ") && line.contains(words) && !line.contains("\n"), "\(line)")
            }
        }
    }
}

/// A TLS client on a plain socket; it blocks, on a thread of its own.
private final class TLSSocket: Sendable {
    /// Invariant (of the unchecked isolation): an `SSL` and its context, used by one call at a time.
    private nonisolated(unsafe) let session: OpaquePointer
    private nonisolated(unsafe) let context: OpaquePointer
    private let descriptor: Int32

    /// nil when there is no handshake.
    init?(port: UInt16, trusts: Bool = true) {
        guard let context = SSL_CTX_new(TLS_client_method()), let session = SSL_new(context) else { return nil }
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        SSL_set_verify(session, trusts ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
        self.context = context
        self.session = session
        descriptor = RawSocket(port: port).release()
        SSL_set_fd(session, descriptor)
        guard SSL_connect(session) == 1 else { return nil }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
        close(descriptor)
    }

    func send(_ bytes: [UInt8]) { _ = SSL_write(session, bytes, Int32(bytes.count)) }

    func receive() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                var buffer = [UInt8](repeating: 0, count: 65536)
                let count = SSL_read(session, &buffer, Int32(buffer.count))
                continuation.resume(returning: count > 0 ? Array(buffer[..<Int(count)]) : nil)
            }
        }
    }
}
