import AnyGPT
import Audio
import Client
import Foundation
import Logging
import TestSupport
import Testing
import Wire

@testable import Server

/// Music that was made, through a real sound server.
extension DesktopTests {
    /// What a client shows, and the files that it has made.
    private struct Shown {
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-music-\(UUID().uuidString)")
        let output: FileHandle
        private var file: URL { folder.appending(path: "shown") }

        init() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            _ = FileManager.default.createFile(atPath: folder.appending(path: "shown").path, contents: nil)
            output = try FileHandle(forWritingTo: folder.appending(path: "shown"))
        }

        func text() -> String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }

        /// The piece that was saved.
        func piece(sampleRate: Int) throws -> [Float] {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            let piece = try #require(names.first { $0.hasPrefix("music-") && $0.hasSuffix(".flac") })
            return try AudioFile.read(folder.appending(path: piece).path)
                .mono(sampleRate: sampleRate, quality: .medium)
        }

        func remove() { try? FileManager.default.removeItem(at: folder) }
    }

    private func quietDaemon(_ folder: URL) async throws -> Daemon {
        var configuration = try configuration()
        configuration.artifacts.folder = folder.appending(path: "artifacts").path
        return try await Daemon(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func url(_ daemon: Daemon) -> String { "ws://127.0.0.1:\(daemon.port)/v1/realtime" }

    /// A client that hears a question for music, and what is heard of it from then on.
    private func askForMusic(
        _ daemon: Daemon, _ sound: SoundServer, _ shown: Shown
    ) async throws -> (talk: Child, recording: SoundServer.Recording) {
        let talk = try Child(
            Self.folder.appending(path: "anygpt").path,
            [
                "talk", "--url", url(daemon), "--source", "room.monitor", "--sink", "speaker", "--artifacts",
                shown.folder.path, "--timing",
            ],
            environment: ["PULSE_SERVER": sound.address, "PATH": "/usr/bin:/bin"], output: shown.output,
            error: shown.output)
        try await wait("the devices") { shown.text().contains("loudspeaker speaker") }
        let recording = try sound.record("speaker.monitor", rate: 24_000)
        try await sound.play(spokenQuestion("music"), rate: 16_000, to: "room")
        return (talk, recording)
    }

    /// Waits until a piece that is heard from some place of a recording on was heard to its end.
    private func waitForEnd(
        of piece: [Float], _ recording: SoundServer.Recording, from mark: Int, rate: Int
    ) async throws {
        try await wait("the end of the music") {
            let samples = recording.samples
            return samples.count > mark + piece.count + rate && samples.suffix(rate).allSatisfy { abs($0) < 1e-4 }
        }
    }

    @Test(
        "anygpt talk plays music that was asked for behind the reply's speech",
        arguments: SoundServer.Kind.allCases)
    func music(kind: SoundServer.Kind) async throws {
        let (sound, shown) = (try server(kind, speakerRate: 24_000), try Shown())
        defer { shown.remove() }
        let daemon = try await quietDaemon(shown.folder)
        defer { Task { await daemon.shutdown() } }
        let (talk, recording) = try await askForMusic(daemon, sound, shown)
        try await wait("a piece") { shown.text().contains("music  ") }
        let mark = recording.samples.count
        let piece = try shown.piece(sampleRate: 24_000)
        #expect(piece.count > 24_000)
        try await waitForEnd(of: piece, recording, from: mark, rate: 24_000)
        let status = talk.end(SIGINT)
        #expect(status == 0, "\(shown.text())")
        let recorded = recording.stop()
        let start = try #require(piece.firstIndex { abs($0) > 0.01 })
        let found = try #require(Alignment(of: Array(piece[start...]), in: recorded, rate: 24_000))
        print("music: \(piece.count) samples, \(found)")
        #expect(found.isFaithful(decibels: 40))
        // The reply's speech was heard before it.
        #expect(recorded[..<max(0, found.offset - start)].contains { abs($0) > 0.01 })
    }

    @Test("anygpt talk: whoever speaks while music is heard stops it, and is answered")
    func interruptedMusic() async throws {
        let (sound, shown) = (try server(speakerRate: 24_000), try Shown())
        defer { shown.remove() }
        let daemon = try await quietDaemon(shown.folder)
        defer { Task { await daemon.shutdown() } }
        let (talk, recording) = try await askForMusic(daemon, sound, shown)
        try await wait("an answer and a piece") {
            shown.text().contains("of sound)") && shown.text().contains("music  ")
        }
        let (mark, piece) = (recording.samples.count, try shown.piece(sampleRate: 24_000))
        let start = try #require(piece.firstIndex { abs($0) > 0.01 })
        let probe = Array(piece[start..<start + 24_000])
        try await wait("the music's first second") {
            let samples = Array(recording.samples[max(0, mark - 12_000)...])
            return Alignment(of: probe, in: samples, rate: 24_000)?.isFaithful(decibels: 40) ?? false
        }
        try await sound.play(spokenQuestion(), rate: 16_000, to: "room")
        try await wait("a word of that") { shown.text().contains("(the music was stopped after ") }
        // What it says behind such a turn is not what this is about.
        try await wait("another answer") { shown.text().components(separatedBy: "of sound)").count > 2 }
        try await waitForSilence(recording, rate: 24_000)
        let status = talk.end(SIGINT)
        let lines = shown.text()
        #expect(status == 0 && !lines.contains("cannot be played"), "\(lines)")
        let match = try #require(lines.firstMatch(of: /the music was stopped after (\d+\.\d) s/))
        let seconds = try #require(Double(match.1))
        #expect(seconds >= 1 && seconds < Double(piece.count) / 24_000, "\(seconds)")
        // Of its last second nothing was heard.
        let end = Array(piece.suffix(24_000))
        #expect(Alignment(of: end, in: recording.stop(), rate: 24_000)?.isFaithful(decibels: 40) != true)
    }

    @Test("[desktop] plays the music that the daemon has made")
    func desktopMusic() async throws {
        let sound = try server(speakerRate: 16_000)
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-music-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let configuration = try configuration(hearing: sound)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = try Engine(configuration) { _ in }
        try await engine.warmUp()
        let store = try ArtifactStore(folder: folder, limits: configuration.artifacts.limits, logger: logger)
        let services = RealtimeServices(
            engine: engine, configuration: configuration, artifacts: store, logger: logger)
        let counter = SessionCounter { _ in }
        let pieces = Mutexed<[Artifact]>([])
        let desktop = Desktop(services, counter) { update in
            if case .turn(.artifact(let artifact)) = update { pieces.change { $0.append(artifact) } }
        }
        let running = Task { await desktop.run() }
        try await wait("a session") { counter.count == 1 }
        let recording = try sound.record("speaker.monitor", rate: 16_000)
        try await sound.play(spokenQuestion("music"), rate: 16_000, to: "room")
        try await wait("a piece") { !pieces.value.isEmpty }
        let mark = recording.samples.count
        let file = try #require(store.file(of: pieces.value[0]))
        let piece = try AudioFile.read(file.path).mono(sampleRate: 16_000, quality: .medium)
        try await waitForEnd(of: piece, recording, from: mark, rate: 16_000)
        running.cancel()
        await running.value
        try compare(piece, recording.stop(), rate: 16_000)
    }

    @Test("anygpt ask --play: a piece, and a text that is read, come out of the sink; Ctrl-C ends it")
    func askAndPlay() async throws {
        let (sound, shown) = (try server(speakerRate: 48_000), try Shown())
        defer { shown.remove() }
        let daemon = try await quietDaemon(shown.folder)
        defer { Task { await daemon.shutdown() } }
        func ask(_ arguments: [String], server: String? = nil) throws -> Child {
            try Child(
                Self.folder.appending(path: "anygpt").path,
                ["ask", "--url", url(daemon), "--out", shown.folder.path] + arguments,
                environment: ["PULSE_SERVER": server ?? sound.address, "PATH": "/usr/bin:/bin"],
                output: shown.output, error: shown.output)
        }
        let words = "a slow sad piano tune"
        var recording = try sound.record("speaker.monitor", rate: 48_000)
        #expect(try ask(["--compose", "--play", "--sink", "speaker", words]).wait() == 0, "\(shown.text())")
        let piece = try shown.piece(sampleRate: 48_000)
        try compare(piece, recording.stop(), rate: 48_000)

        recording = try sound.record("speaker.monitor", rate: 24_000)
        let reading = try ask(["--aloud", "--play", "--sink", "speaker", "the capital of france is paris"])
        #expect(reading.wait() == 0, "\(shown.text())")
        let speech = try AudioFile.read(shown.folder.appending(path: "speech.wav").path).mono()
        // The sink's rate is another one: what was heard is about as long.
        let heard = recording.stop()
        let loud = try #require(heard.firstIndex { abs($0) > 0.01 })
        let last = try #require(heard.lastIndex { abs($0) > 0.01 })
        #expect(abs(last - loud - speech.count) < 24_000, "\(last - loud) of \(speech.count) samples")

        recording = try sound.record("speaker.monitor", rate: 48_000)
        let stopped = try ask(["--compose", "--play", "--sink", "speaker", words])
        try await wait("music") { recording.samples.contains { abs($0) > 0.01 } }
        #expect(stopped.end(SIGINT) == 130)
        #expect(recording.stop().count { abs($0) > 1e-4 } < piece.count / 2)

        #expect(try ask(["--compose", "--play", "--sink", "nonsense", words]).wait() == 2)
        #expect(try ask(["--compose", "--play", words], server: "unix:/nowhere/native").wait() == 2)
        #expect(try ask(["--compose", "--sink", "speaker", words]).wait() == 2)
        let lines = shown.text()
        #expect(lines.contains("no sink called nonsense") && lines.contains("no sound server answers"), "\(lines)")
        #expect(lines.contains("--sink is for --play"), "\(lines)")
    }
}
