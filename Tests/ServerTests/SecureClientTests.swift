import Client
import Foundation
import Server
import TestDaemon
import TestSupport
import Testing
import Wire

/// A daemon with a certificate, and the clients of the command line.
@Suite("TLS, from the clients' side", .serialized) struct SecureClientTests {
    private func withDaemon(_ body: (_ daemon: Daemon, _ certificate: String) async throws -> Void) async throws {
        try await Certificates.withFolder { folder in
            try Certificates.makeSelfSigned(in: folder)
            var configuration = try shippedConfiguration()
            configuration.server.certificate = folder + "/certificate.pem"
            configuration.server.privateKey = folder + "/key.pem"
            configuration.sampling.text.maxNewTokens = 6
            let certificate = configuration.server.certificate
            try await TestDaemon.withDaemon(configuration) { try await body($0, certificate) }
        }
    }

    @Test("who trusts the certificate is served; who does not is told so, and what to do")
    func trust() async throws {
        try await withDaemon { daemon, certificate in
            for host in ["localhost", "127.0.0.1"] {
                let health = try await HealthProbe.ask("https://\(host):\(daemon.port)", trust: certificate)
                #expect(health.status == .ok)
                let client = try await RealtimeClient.connect(
                    to: "wss://\(host):\(daemon.port)/v1/realtime", trust: certificate, turnEnd: .commit)
                let request = WrittenRequest("hello")
                var answer = ""
                try await client.ask(request) { if case .text(let delta) = $0 { answer += delta } }
                #expect(!answer.isEmpty)
                await client.close()
            }
            let url = "wss://127.0.0.1:\(daemon.port)/v1/realtime"
            let stranger = await #expect(throws: ClientError.self) { _ = try await RealtimeClient.connect(to: url) }
            #expect(stranger?.description.contains("is not trusted") == true, "\(String(describing: stranger))")
            #expect(stranger?.description.contains("--cacert") == true)
            let probe = await #expect(throws: HealthProbe.Failure.self) {
                _ = try await HealthProbe.ask("https://127.0.0.1:\(daemon.port)")
            }
            #expect(probe?.description.contains("certificate") == true, "\(String(describing: probe))")
        }
    }

    @Test("a certificate for another host, and the wrong scheme, are told apart") func wrongNames() async throws {
        try await withDaemon { daemon, certificate in
            let other = "wss://127.0.0.2:\(daemon.port)/v1/realtime"
            let error = await #expect(throws: ClientError.self) {
                _ = try await RealtimeClient.connect(to: other, trust: certificate)
            }
            #expect(error?.isFailureToConnect == true)
            let plain = await #expect(throws: ClientError.self) {
                _ = try await RealtimeClient.connect(to: "ws://127.0.0.1:\(daemon.port)/v1/realtime")
            }
            #expect(plain?.description.contains("begins with wss:") == true, "\(String(describing: plain))")
            let http = await #expect(throws: HealthProbe.Failure.self) {
                _ = try await HealthProbe.ask("http://127.0.0.1:\(daemon.port)")
            }
            #expect(http?.description.contains("is not the daemon") == true, "\(String(describing: http))")
        }
        try await StubDaemon.serve({ _ in }) { url in
            let error = await #expect(throws: ClientError.self) {
                _ = try await RealtimeClient.connect(to: url.replacingOccurrences(of: "ws:", with: "wss:"))
            }
            #expect(error?.description.contains("begins with ws:") == true, "\(String(describing: error))")
        }
    }

    @Test("what is to be trusted must be there, and be certificates") func trustedFiles() async throws {
        try await Certificates.withFolder { folder in
            try Data("hello".utf8).write(to: URL(filePath: folder + "/text.pem"))
            for (name, words) in [("none.pem", "No such file"), ("text.pem", "holds no PEM certificate")] {
                let error = await #expect(throws: ClientError.self) {
                    _ = try await RealtimeClient.connect(to: "wss://127.0.0.1:1/", trust: "\(folder)/\(name)")
                }
                #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            }
        }
    }
}
