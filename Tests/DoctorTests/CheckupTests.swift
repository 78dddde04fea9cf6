import Foundation
import Server
import TestModels
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
            "processor", "threads", "libraries", "backbone", "speech tokenizer", "SoundStorm", "pictures in",
            "pictures out",
            "music", "memory speed",
        ] {
            #expect(findings.contains { $0.subject == subject }, "\(subject)")
        }
        #expect(findings.contains { $0.subject == "backbone" && $0.text.hasSuffix("taught to converse") })
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
        let base = try await findings(shipped()) { $0.replacing("kind = \"auto\"", with: "kind = \"base\"") }
        #expect(base.contains { $0.subject == "backbone" && $0.text.hasSuffix("taught single tasks, not to converse") })
        let unknown = try await fault("configuration") { $0 + "\n[nothing]\nkey = 1\n" }
        #expect(unknown.text.contains("nothing"))
        for codes in [256, 128] {
            let encodec = try SyntheticEncodec(codebookSize: codes)
            let line = try Regex("\nencodec = \"[^\"]*\"")
            let found = try await findings(shipped()) {
                $0.replacing(line, with: "\nencodec = \"\(encodec.folder.path)\"")
            }
            let music = try #require(found.first { $0.subject == "music" })
            #expect((music.state == .ok) == (codes == 256), "\(music)")
            #expect(codes == 256 || music.text.hasSuffix("has 512 codes, the backbone 1024 music tokens"))
        }
        for (subject, key) in [("pictures in", "seed"), ("pictures out", "unclip"), ("music", "encodec")] {
            let line = try Regex("\n\(key) = \"[^\"]*\"")
            let art = try await fault(subject) { $0.replacing(line, with: "\n\(key) = \"Models/none\"") }
            #expect(art.text.contains("Models/none"))
        }
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
        let listener = try LoopbackListener()
        // Whoever connects is hung up on.
        listener.accept { _ in }
        var server = Configuration().server
        server.port = Int(listener.port)
        #expect(await PortCheck.finding(server).state == .fault)
        listener.stop()
        server.port = 0
        #expect(await PortCheck.finding(server).state == .ok)
    }
}
