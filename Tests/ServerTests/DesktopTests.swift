import AnyGPT
import Audio
import Client
import Foundation
import Logging
import TestDaemon
import TestSupport
import Testing
import Wire

@testable import Server

/// The default model, a real PulseAudio or PipeWire, and the demo's question: `room` is what the microphone hears,
/// `speaker` what is played.
@Suite("A spoken conversation through a sound server", .serialized, .timeLimit(.minutes(3))) struct DesktopTests {
    static let root = Golden.tests.deletingLastPathComponent()
    static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    static let question = "what is the capital of france"

    func configuration() throws -> Configuration {
        var configuration = try shippedConfiguration()
        configuration.seed = 7
        return configuration
    }

    /// The daemon's own conversation through the two devices of a sound server.
    func configuration(hearing sound: SoundServer) throws -> Configuration {
        var configuration = try configuration()
        configuration.desktop.server = sound.address
        configuration.desktop.source = "room.monitor"
        configuration.desktop.sink = "speaker"
        return configuration
    }

    func spokenQuestion(_ name: String = "question") throws -> [Float] {
        try AudioFile.read(Self.root.appending(path: "Models/pocket/demo/\(name).wav").path).mono(sampleRate: 16_000)
    }

    func server(_ kind: SoundServer.Kind = .pulseAudio, speakerRate: Int) throws -> SoundServer {
        try SoundServer(
            kind, [.init("room", rate: 16_000), .init("speaker", rate: speakerRate)], clock: speakerRate)
    }

    func wait(_ what: String, until condition: () throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while try !condition() {
            guard ContinuousClock.now < end else { throw SoundServer.Failure("in vain: \(what)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until nothing has been heard at the end of a recording for a while, after something was.
    func waitForSilence(_ recording: SoundServer.Recording, rate: Int) async throws {
        try await wait("a reply that ends") {
            let samples = recording.samples
            return samples.contains { abs($0) > 0.01 } && samples.suffix(rate).allSatisfy { abs($0) < 1e-4 }
        }
    }

    @Test(
        "anygpt talk: the question goes into the source, the reply that the client got comes out of the sink",
        arguments: SoundServer.Kind.allCases)
    func talk(kind: SoundServer.Kind) async throws {
        let sound = try server(kind, speakerRate: 24_000)
        let daemon = try await Daemon(configuration(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        defer { Task { await daemon.shutdown() } }
        let files = FileManager.default.temporaryDirectory.appending(path: "anygpt-talk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: files) }
        let shown = files.appending(path: "shown")
        _ = FileManager.default.createFile(atPath: shown.path, contents: nil)
        let output = try FileHandle(forWritingTo: shown)
        let talk = try Child(
            Self.folder.appending(path: "anygpt").path,
            [
                "talk", "--url", "ws://127.0.0.1:\(daemon.port)/v1/realtime", "--source", "room.monitor", "--sink",
                "speaker", "--out", files.appending(path: "reply.wav").path, "--timing",
            ], environment: ["PULSE_SERVER": sound.address, "PATH": "/usr/bin:/bin"], output: output, error: output)
        func text() throws -> String { try String(contentsOf: shown, encoding: .utf8) }

        try await wait("the devices") { try text().contains("loudspeaker speaker") }
        let recording = try sound.record("speaker.monitor", rate: 24_000)
        try await sound.play(spokenQuestion(), rate: 16_000, to: "room")
        try await wait("an answer") { try text().contains("of sound)") }
        try await waitForSilence(recording, rate: 24_000)
        let status = talk.end(SIGINT)
        let lines = try text()
        #expect(status == 0, "Ctrl-C is how a conversation ends: \(lines)")
        #expect(lines.contains("you    \(Self.question)\n"))
        #expect(lines.contains("reply  the capital of france is paris\n"))
        #expect(!lines.contains("\u{1B}"), "what is no terminal gets plain lines")

        let received = try AudioFile.read(files.appending(path: "reply.wav").path).mono()
        try compare(received, recording.stop(), rate: 24_000)
    }

    /// The reply as it came and as it was played: the same, but for what is under the threshold of 16 bits.
    func compare(_ received: [Float], _ recorded: [Float], rate: Int) throws {
        // The probe begins where the reply does.
        let begin = try #require(received.firstIndex { abs($0) > 0.01 })
        let found = try #require(Alignment(of: Array(received[begin...]), in: recorded, rate: rate))
        print("reply: \(received.count) samples, \(found)")
        #expect(found.isFaithful(decibels: 40))
    }

    @Test(
        "[desktop]: the daemon holds the same conversation by itself; what is played is the model's own sound",
        arguments: SoundServer.Kind.allCases)
    func desktop(kind: SoundServer.Kind) async throws {
        let sound = try server(kind, speakerRate: 16_000)
        let configuration = try configuration(hearing: sound)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = try Engine(configuration) { _ in }
        try await engine.warmUp()
        let services = RealtimeServices(engine: engine, configuration: configuration, logger: logger)
        let counter = SessionCounter { _ in }
        let turns = Mutexed<[TurnReport]>([])
        let received = Mutexed<[Float]>([])
        let desktop = Desktop(services, counter) { update in
            switch update {
            case .turn(.sound(let samples)): received.change { $0 += samples }
            case .turn(.done(let turn)): turns.change { $0.append(turn) }
            default: break
            }
        }
        let running = Task { await desktop.run() }
        try await wait("a session") { counter.count == 1 }
        let recording = try sound.record("speaker.monitor", rate: 16_000)
        try await sound.play(spokenQuestion(), rate: 16_000, to: "room")
        try await wait("an answer") { !turns.value.isEmpty }
        try await waitForSilence(recording, rate: 16_000)
        running.cancel()
        await running.value
        #expect(counter.count == 0)
        #expect(turns.value.map(\.transcript) == [Self.question])
        #expect(turns.value.map(\.reply) == ["the capital of france is paris"])
        try compare(received.value, recording.stop(), rate: 16_000)
    }

    @Test(
        "anygptd with [desktop] and no sound server says so once, serves, and talks when there is one",
        arguments: SoundServer.Kind.allCases)
    func laterServer(kind: SoundServer.Kind) async throws {
        let sound = try server(kind, speakerRate: 16_000)
        sound.kill()
        let shown = FileManager.default.temporaryDirectory.appending(path: "anygptd-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: shown) }
        let changes = [
            ("port = 8787", "port = 0"), ("enabled = false", "enabled = true"),
            ("server = \"\"", "server = \"\(sound.address)\""), ("source = \"\"", "source = \"room.monitor\""),
            ("sink = \"\"", "sink = \"speaker\""),
        ]
        try await withConfiguration(changes) { file in
            _ = FileManager.default.createFile(atPath: shown.path, contents: nil)
            let output = try FileHandle(forWritingTo: shown)
            let daemon = try Child(
                Self.folder.appending(path: "anygptd").path, ["--config", file], output: output, error: output)
            func log() throws -> String { try String(contentsOf: shown, encoding: .utf8) }
            try await wait("a warning") { try log().contains("no sound server answers") }
            try await wait("a port") { try log().contains("listening on ws://") }
            let port = try #require(try log().firstMatch(of: /ws:\/\/127\.0\.0\.1:(\d+)/)).1
            #expect(try await HealthProbe.ask("http://127.0.0.1:\(port)").status == .ok)
            try sound.start()
            try await wait("the devices") {
                try log().contains("listening to room.monitor, speaking through speaker")
            }
            let warnings = try log().components(separatedBy: "no sound server answers").count - 1
            #expect(warnings == 1, "it is said once")
            let recording = try sound.record("speaker.monitor", rate: 16_000)
            try await sound.play(spokenQuestion(), rate: 16_000, to: "room")
            try await waitForSilence(recording, rate: 16_000)
            let status = daemon.end(SIGTERM)
            let lines = try log()
            #expect(status == 0, "\(lines)")
        }
    }

    @Test("What makes a conversation impossible is said in one line")
    func impossible() async throws {
        func refusal(_ arguments: [String], _ variables: [String: String] = [:]) async throws -> (Int32, String) {
            let pipe = Pipe.own()
            let process = try Child(
                Self.folder.appending(path: "anygpt").path, ["talk"] + arguments,
                environment: ["PULSE_SERVER": "unix:/nowhere/native"].merging(variables) { _, new in new },
                output: pipe.fileHandleForWriting, error: pipe.fileHandleForWriting)
            try pipe.fileHandleForWriting.close()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return (process.wait(), text)
        }
        // No daemon.
        var (status, text) = try await refusal(["--url", "ws://127.0.0.1:1/v1/realtime"])
        #expect(status == 2 && text.contains("no daemon listens") && text.split(separator: "\n").count == 1, "\(text)")
        let daemon = try await Daemon(configuration(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        defer { Task { await daemon.shutdown() } }
        // The port is taken.
        try await withConfiguration([("port = 8787", "port = \(daemon.port)")]) { file in
            let pipe = Pipe.own()
            let second = try Child(
                Self.folder.appending(path: "anygptd").path, ["--config", file], error: pipe.fileHandleForWriting)
            try pipe.fileHandleForWriting.close()
            let log = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            // EX_UNAVAILABLE, for the service manager.
            #expect(second.wait() == 69)
            let last = log.split(separator: "\n").last ?? ""
            #expect(last.contains("port \(daemon.port)") && last.contains("in use"), "\(log)")
        }
        let url = "ws://127.0.0.1:\(daemon.port)/v1/realtime"
        // No sound server.
        (status, text) = try await refusal(["--url", url])
        #expect(status == 2 && text.contains("no sound server answers"), "\(text)")
        #expect(text.split(separator: "\n").count == 1, "\(text)")
        (status, text) = try await refusal(["--list-devices"])
        #expect(status == 2 && text.contains("no sound server answers"), "\(text)")
        // No such device.
        let sound = try server(speakerRate: 16_000)
        (status, text) = try await refusal(
            ["--url", url, "--source", "nonsense"], ["PULSE_SERVER": sound.address])
        #expect(status == 2 && text.contains("no source called nonsense"), "\(text)")
        #expect(text.split(separator: "\n").count == 1, "\(text)")
        // A button needs a keyboard.
        (status, text) = try await refusal(["--url", url, "--push-to-talk"], ["PULSE_SERVER": sound.address])
        #expect(status == 2 && text.contains("terminal") && text.split(separator: "\n").count == 1, "\(text)")
        (status, text) = try await refusal(["--list-devices"], ["PULSE_SERVER": sound.address])
        #expect(status == 0 && text.contains("room.monitor") && text.contains("speaker"), "\(text)")
    }
}
