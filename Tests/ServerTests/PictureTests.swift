import Audio
import Client
import Foundation
import Images
import Server
import TestDaemon
import TestSupport
import Testing
import Wire

/// Pictures through a real daemon, all of whose models are the golden cases' small ones.
@Suite("Pictures", .serialized, .timeLimit(.minutes(3))) struct PictureTests {
    /// A daemon that sees and draws, and the folder of its artifacts; both gone after the body.
    private func withDaemon(
        _ change: (inout Configuration) -> Void = { _ in }, _ body: (Daemon, URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pictures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = try goldenConfiguration(in: folder)
        change(&configuration)
        try await TestDaemon.withDaemon(configuration) { try await body($0, folder.appending(path: "artifacts")) }
    }

    private func url(_ daemon: Daemon) -> String { "ws://127.0.0.1:\(daemon.port)/v1/realtime" }

    private func files(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    private func picture(_ width: Int = 40, _ height: Int = 30) throws -> [UInt8] {
        let bytes = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        return try RGBImage(width: width, height: height, bytes: bytes).png()
    }

    /// Asks for a picture of a text; what was told.
    private func draw(_ text: String, _ daemon: Daemon) async throws -> (steps: [Int], artifacts: [Artifact]) {
        let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
        let request = WrittenRequest(text, artifact: ArtifactRequest(type: .image))
        var (steps, artifacts): ([Int], [Artifact]) = ([], [])
        try await client.ask(request) { update in
            switch update {
            // The scheduler's first step takes two calls, and the decoding is one.
            case .progress(let kind, let step, let of):
                #expect(kind == .image)
                steps.append(step)
                #expect(of == 5)
            case .artifact(let artifact): artifacts.append(artifact)
            case .text, .sound, .timing: break
            }
        }
        await client.close()
        return (steps, artifacts)
    }

    @Test("a picture is announced once, complete, with its seed and tokens in it; the same seed draws the same picture")
    func drawing() async throws {
        try await withDaemon { daemon, folder in
            var fetched: [Data] = []
            for _ in 0..<2 {
                let (steps, artifacts) = try await draw("a cat on a mat", daemon)
                let artifact = try #require(artifacts.first)
                #expect(artifacts.count == 1 && artifact.type == .image && artifact.mimeType == "image/png")
                #expect((artifact.width, artifact.height) == (96, 64))
                #expect(steps == [1, 2, 3, 4, 5])
                #expect(files(folder).contains("\(artifact.id).png"))
                let out = folder.deletingLastPathComponent().appending(path: "out")
                let file = try await ArtifactDownload.fetch(artifact, from: url(daemon), into: out)
                fetched.append(try Data(contentsOf: file))
                let image = try ImageFile.decode([UInt8](fetched[fetched.count - 1]))
                #expect((image.width, image.height) == (96, 64))
                #expect(Set(image.bytes).count > 10)
            }
            #expect(fetched[0] == fetched[1])
            for words in ["Prompt", "a cat on a mat", "Seed", "Tokens", "Software"] {
                #expect(fetched[0].range(of: Data(words.utf8)) != nil, "\(words)")
            }
            #expect(files(folder).allSatisfy { $0.hasSuffix(".png") })
        }
    }

    @Test("a picture is shown by upload and as a data URI, and answered") func showing() async throws {
        try await withDaemon { daemon, _ in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            for text in ["What is this?", ""] {
                let request = try WrittenRequest(text, picture: picture())
                try await client.ask(request) { _ in }
            }
            await client.close()
            let uri = "data:image/png;base64," + Data(try picture(300, 20)).base64EncodedString()
            let other = try await TestClient(port: daemon.port, subprotocol: nil)
            try other.send(
                #"{"type":"conversation.item.create","item":{"id":"i","type":"message","role":"user","content":[{"type":"input_text","text":"what"},{"type":"input_image","image_url":"\#(uri)"}]}}"#
            )
            try other.send(#"{"type":"response.create"}"#)
            #expect(try await other.untilDone().done?.status == .completed)
            // The bytes are not kept with the item.
            try other.send(#"{"type":"conversation.item.retrieve","item_id":"i"}"#)
            let retrieved = try await other.next { $0.name == "conversation.item.retrieved" }
            guard case .conversationItemRetrieved(let item)? = retrieved.event,
                case .message(_, let content) = item.kind
            else {
                Issue.record("no item")
                return
            }
            #expect(content.last == .inputImage(.url(""), detail: nil))
            await other.close()
        }
    }

    @Test("what cannot be seen is refused by one clear error, and the session lives on") func badPictures() async throws
    {
        let whole = try picture(200, 200)
        let cases: [(file: [UInt8], words: String)] = [
            (Array("just some text".utf8), "cannot be seen"),
            (Array(whole.dropLast(whole.count / 2)), "cannot be seen"),
            ([], "cannot be seen"), (try picture(400, 400), "pixels"),
        ]
        try await withDaemon({ $0.image.maxPixels = 100_000 }) { daemon, _ in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            for (file, words) in cases {
                let request = WrittenRequest("What is this?", picture: file)
                do {
                    try await client.ask(request) { _ in }
                    Issue.record("taken: \(words)")
                } catch ClientError.server(let error) {
                    #expect(error.code == .invalidValue)
                    #expect(error.message.contains(words) && !error.message.contains("/tmp"), "\(error.message)")
                }
                // What the same request caused further: there is no question to answer.
                if case .event(.error) = try await client.next() {}
            }
            let request = WrittenRequest("And this?", picture: whole)
            try await client.ask(request) { _ in }
            await client.close()
        }
    }

    @Test("a picture that was cancelled leaves no file, soon, and the session draws another") func cancel() async throws
    {
        try await withDaemon({ $0.image.steps = 500 }) { daemon, folder in
            let client = try await TestClient(port: daemon.port)
            let create =
                #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"a hill"}]}}"#
            let draw = #"{"type":"response.create","response":{"artifact":{"type":"image"}}}"#
            for _ in 0..<2 {
                try client.send(create)
                try client.send(draw)
                _ = try await client.next { $0.name == "response.output_artifact.progress" }
                try client.send(#"{"type":"response.cancel"}"#)
                let turn = try await client.untilDone()
                #expect(turn.done?.status == .cancelled)
                let steps = turn.names.count { $0 == "response.output_artifact.progress" }
                #expect(steps < 200, "\(steps) steps after the cancellation")
                #expect(files(folder).isEmpty)
            }
            await client.close()
        }
    }

    @Test("somebody's speech goes on while another's picture is drawn") func besideSpeech() async throws {
        try await withDaemon({
            $0.image.steps = 900
            ($0.image.width, $0.image.height) = (256, 256)
            $0.sampling.speech.maxNewTokens = 100
            $0.sampling.speech.minNewTokens = 100
        }) { daemon, _ in
            let painter = try await TestClient(port: daemon.port)
            try painter.send(
                #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"a hill"}]}}"#
            )
            try painter.send(#"{"type":"response.create","response":{"artifact":{"type":"image"}}}"#)
            _ = try await painter.next { $0.name == "response.output_artifact.progress" }
            let speaker = try await TestClient(port: daemon.port)
            let clip = try AudioFile.read(Golden.file("chain", "question.wav").path)
            try await speaker.speak(clip.mono() + [Float](repeating: 0, count: 16_000))
            // The answer's end is not waited for: where this model, whose weights are random, begins a picture of its own,
            // that has to wait for the other one.
            let last = try await speaker.next { $0.frame?.isLast == true }
            #expect((last.frame?.sequence ?? 0) > 20, "some 2 s of speech")
            try painter.send(#"{"type":"response.cancel"}"#)
            #expect(try await painter.untilDone().done?.status == .cancelled, "it was still being drawn")
            await painter.close()
            await speaker.close()
        }
    }

    @Test("without the networks, pictures are refused with what to do about it") func unavailable() async throws {
        try await withDaemon({
            $0.model.seed = ""
            $0.model.unclip = ""
        }) { daemon, _ in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            for draws in [true, false] {
                var request = WrittenRequest("a hill")
                if draws { request.artifact = ArtifactRequest(type: .image) } else { request.picture = try picture() }
                do {
                    try await client.ask(request) { _ in }
                    Issue.record("a picture without networks")
                } catch ClientError.server(let error) {
                    #expect(error.code == .imagesUnavailable && error.message.contains(draws ? "unclip" : "seed"))
                }
            }
            await client.close()
        }
    }
}
