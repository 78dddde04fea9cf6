import Client
import Foundation
import Images
import Server
import TestDaemon
import TestSupport
import Testing
import Wire

/// A base model behind a real daemon, as its clients meet it.
@Suite("A base model's daemon", .serialized, .timeLimit(.minutes(3))) struct BaseModelTests {
    private func withDaemon(
        _ change: (inout Configuration) -> Void = { _ in }, _ body: (Daemon, URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "base-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        // The folder's name alone tells what the model is.
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let llama = folder.appending(path: "AnyGPT-base")
        try FileManager.default.createSymbolicLink(at: llama, withDestinationURL: Golden.folder("llama-hf"))
        var configuration = try goldenConfiguration(in: folder)
        configuration.model.llama = llama.path
        configuration.model.encodec = Golden.file("encodec", "encodec_32khz").path
        configuration.sampling.speech.maxNewTokens = 30
        change(&configuration)
        try await TestDaemon.withDaemon(configuration) { try await body($0, folder) }
    }

    private func url(_ daemon: Daemon) -> String { "ws://127.0.0.1:\(daemon.port)/v1/realtime" }

    /// What comes of a written request.
    private func ask(
        _ daemon: Daemon, _ change: (inout WrittenRequest) throws -> Void
    ) async throws -> (text: String, samples: Int, artifacts: [Artifact]) {
        let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
        var request = WrittenRequest()
        try change(&request)
        var (text, samples, artifacts): (String, Int, [Artifact]) = ("", 0, [])
        do {
            try await client.ask(request) { update in
                switch update {
                case .text(let delta): text += delta
                case .sound(let sound): samples += sound.count
                case .artifact(let artifact): artifacts.append(artifact)
                case .progress, .timing: break
                }
            }
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        return (text, samples, artifacts)
    }

    private static let picture = Result {
        try RGBImage(width: 40, height: 30, bytes: (0..<3600).map { UInt8(truncatingIfNeeded: $0 &* 7) }).png()
    }

    @Test("reading aloud, drawing, composing and describing are asked for as of a chat model")
    func tasks() async throws {
        try await withDaemon { daemon, _ in
            let read = try await ask(daemon) { ($0.text, $0.isReadAloud) = ("good morning", true) }
            #expect(read.samples > 0 && read.text.isEmpty)
            let drawn = try await ask(daemon) { ($0.text, $0.artifact) = ("a cat", ArtifactRequest(type: .image)) }
            #expect(drawn.artifacts.map(\.type) == [.image])
            let piece = ArtifactRequest(type: .music, seconds: 0.2)
            let composed = try await ask(daemon) { ($0.text, $0.artifact) = ("a march", piece) }
            #expect(composed.artifacts.map(\.type) == [.music])
            let described = try await ask(daemon) { $0.picture = try Self.picture.get() }
            #expect(!described.text.isEmpty && described.samples == 0)
            let asked = try await ask(daemon) { ($0.picture, $0.text) = (try Self.picture.get(), "What is it?") }
            #expect(!asked.text.isEmpty && asked.text != described.text)
        }
    }

    @Test("a description is searched for with the beams that the configuration names")
    func beams() async throws {
        // What is likeliest token by token is for some pictures also what is likeliest as a whole.
        var texts: [[String]] = []
        for beams in [1, 5] {
            try await withDaemon({
                $0.sampling.text.numBeams = beams
                $0.sampling.text.maxNewTokens = 12
            }) { daemon, _ in
                var described: [String] = []
                for seed in 1...4 {
                    let bytes = (0..<3600).map { UInt8(truncatingIfNeeded: $0 &* $0 &* seed &* 31 / 7) }
                    let picture = try RGBImage(width: 40, height: 30, bytes: bytes).png()
                    described.append(try await ask(daemon) { $0.picture = picture }.text)
                }
                texts.append(described)
            }
        }
        #expect(texts[0] != texts[1] && !texts.joined().contains(""), "\(texts)")
    }

    @Test("a written question is refused with what to do instead, and the session lives on")
    func writtenTurn() async throws {
        try await withDaemon { daemon, _ in
            let client = try await TestClient(port: daemon.port)
            try client.send(
                #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}}"#
            )
            try client.send(#"{"type":"response.create"}"#)
            let error = try #require(try await client.next { $0.error != nil }.error)
            #expect(error.code == .conversationUnavailable && !error.message.contains("\n"))
            for way in ["transcribe", "read aloud", "artifact", "describe", "model.kind"] {
                #expect(error.message.contains(way), "\(way)")
            }
            try client.send(#"{"type":"response.create","response":{"task":"read_aloud"}}"#)
            #expect(try await client.untilDone().done?.status == .completed)
            await client.close()
        }
    }

    @Test("a spoken question is transcribed, and refused where a reply is wanted")
    func spokenTurn() async throws {
        try await withDaemon { daemon, _ in
            let client = try await TestClient(port: daemon.port)
            try client.send(
                #"{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}"#)
            let tone = (0..<16_000).map { Float(sin(Double($0) * 0.3)) * 0.2 }
            try await client.speak(tone)
            try client.send(#"{"type":"input_audio_buffer.commit"}"#)
            try client.send(#"{"type":"response.create"}"#)
            let error = try #require(try await client.next { $0.error != nil }.error)
            #expect(error.code == .conversationUnavailable)
            try client.send(#"{"type":"response.create","response":{"task":"transcribe"}}"#)
            let turn = try await client.untilDone()
            #expect(turn.done?.status == .completed && !turn.reply.isEmpty && turn.transcript == turn.reply)
            await client.close()
        }
    }
}
