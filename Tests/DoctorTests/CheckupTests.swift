import Foundation
import Server
import TestSupport
import Testing

@testable import Doctor

@Suite("The doctor") struct CheckupTests {
    private static let root = Golden.tests.deletingLastPathComponent()

    private func findings(_ configuration: String, measuring: Bool = false, changing: (String) -> String = { $0 })
        async throws -> [Finding]
    {
        let url = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID().uuidString).toml")
        defer { try? FileManager.default.removeItem(at: url) }
        try changing(configuration).write(to: url, atomically: true, encoding: .utf8)
        var findings: [Finding] = []
        await Checkup.run(configurationPath: url.path, measuring: measuring) { findings.append($0) }
        return findings
    }

    /// The shipped configuration with absolute paths, on a port that is free.
    private func shipped() throws -> String {
        try String(contentsOf: Self.root.appending(path: "config.toml"), encoding: .utf8)
            .replacing("\"Models/", with: "\"\(Self.root.path)/Models/")
            .replacing("\"Clients/", with: "\"\(Self.root.path)/Clients/")
            .replacing("port = 8787", with: "port = 0")
    }

    @Test("a machine that runs this test can run the daemon")
    func healthy() async throws {
        let findings = try await findings(shipped(), measuring: true)
        #expect(!findings.contains { $0.state == .fault }, "\(findings)")
        for subject in [
            "processor", "threads", "libraries", "backbone", "speech tokenizer", "SoundStorm", "memory speed",
        ] {
            #expect(findings.contains { $0.subject == subject }, "\(subject)")
        }
        #expect(findings.allSatisfy { ($0.state == .ok) == ($0.advice == nil) })
        #expect(findings.allSatisfy { !$0.text.contains("\n") })
    }

    @Test("what is wrong is told with what to do")
    func faults() async throws {
        func fault(_ subject: String, _ change: (String) -> String) async throws -> Finding {
            let found = try await findings(shipped(), changing: change)
            return try #require(found.first { $0.subject == subject && $0.state == .fault }, "\(found)")
        }
        let missing = try await fault("backbone") { $0.replacing("Models/pocket/llama\"", with: "Models/none\"") }
        #expect(missing.text.contains("Models/none") && missing.advice?.contains("[model]") == true)
        let swapped = try await fault("backbone") { $0.replacing("pocket/llama\"", with: "pocket/speech\"") }
        #expect(swapped.text.contains("is a speech tokenizer"))
        let unknown = try await fault("configuration") { $0 + "\n[nothing]\nkey = 1\n" }
        #expect(unknown.text.contains("nothing"))
        let voice = try await fault("voice") { $0.replacing("pocket/voice.wav", with: "pocket/silence.wav") }
        #expect(voice.text.contains("silence.wav"))
    }

    @Test("a slow memory is told beside what it means")
    func slow() {
        #expect(MemorySpeed.finding(20e9, weights: 13_000_000).state == .ok)
        let slow = MemorySpeed.finding(20e9, weights: 13_000_000_000)
        #expect(
            slow.state == .note && slow.text.contains("at most 2 tokens") && slow.advice?.contains("convert") == true)
        #expect(MemorySpeed.measure() > 1e8)
    }

    @Test("a port that something else has is a fault; one that nobody has is none")
    func ports() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0 && listen(listener, 4) == 0
            }
        }
        #expect(isBound)
        // Whoever connects is hung up on.
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                close(connection)
            }
        }
        var server = Configuration().server
        server.port = Int(UInt16(bigEndian: address.sin_port))
        #expect(await PortCheck.finding(server).state == .fault)
        shutdown(listener, Int32(SHUT_RDWR))
        server.port = 0
        #expect(await PortCheck.finding(server).state == .ok)
    }
}
