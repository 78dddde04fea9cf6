import Audio
import Client
import Foundation
import Server
import TestDaemon
import TestModels
import TestSupport
import Testing
import WebSockets
import Wire

/// Music through a real daemon: the repository's backbone, which has learned none, and an Encodec with random weights.
@Suite("Music", .serialized) struct MusicTests {
    /// A daemon with music, and the folder of its artifacts; both gone after the body.
    func withDaemon(
        music: Bool = true, _ change: (inout Configuration) -> Void = { _ in },
        _ body: (Daemon, URL) async throws -> Void
    ) async throws {
        var configuration = try shippedConfiguration()
        let encodec = try SyntheticEncodec()
        let folder = FileManager.default.temporaryDirectory.appending(path: "artifacts-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        configuration.seed = 7
        configuration.model.encodec = music ? encodec.folder.path : ""
        configuration.artifacts.folder = folder.path
        configuration.sampling.text.maxNewTokens = 6
        change(&configuration)
        try await TestDaemon.withDaemon(configuration) { try await body($0, folder) }
    }

    func url(_ daemon: Daemon) -> String { "ws://127.0.0.1:\(daemon.port)/v1/realtime" }

    func files(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    private func wav(_ clip: AudioClip) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        try AudioFile.write(clip, to: file.path)
        return [UInt8](try Data(contentsOf: file))
    }

    @Test("a piece is announced once, complete, and fetched as what was announced", arguments: ["flac", "wav", "opus"])
    func compose(format: String) async throws {
        try await withDaemon { daemon, folder in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            let request = WrittenRequest(
                "a quiet piano", artifact: ArtifactRequest(type: .music, format: format, seconds: 1.3))
            var (steps, artifacts): ([Int], [Artifact]) = ([], [])
            try await client.ask(request) { update in
                switch update {
                case .progress(let kind, let step, let of):
                    #expect(kind == .music)
                    steps.append(step)
                    #expect(of == 3)
                case .artifact(let artifact): artifacts.append(artifact)
                case .text, .sound, .timing: break
                }
            }
            await client.close()
            let artifact = try #require(artifacts.first)
            #expect(artifacts.count == 1 && artifact.type == .music && artifact.durationMilliseconds == 1300)
            #expect(steps == steps.sorted() && Set(steps).count == steps.count && !steps.isEmpty)
            #expect(files(folder) == ["\(artifact.id).\(format)"])
            let out = folder.appending(path: "out")
            let file = try await ArtifactDownload.fetch(artifact, from: url(daemon), into: out)
            let clip = try AudioFile.read(file.path)
            #expect(clip.sampleRate == (format == "opus" ? 48_000 : 32_000))
            #expect(abs(clip.seconds - 1.3) < 0.001 && clip.interleaved.contains { abs($0) > 1e-4 })
            // Every kind of file has room for what it was made of.
            let bytes = try Data(contentsOf: file)
            for tag in ["prompt: a quiet piano; model: ", "; seed: 7", "anygptd \(Daemon.version)"] {
                #expect(bytes.range(of: Data(tag.utf8)) != nil, "\(tag)")
            }
        }
    }

    @Test("a piece that is longer than a window has the length that was asked for", arguments: [0, 0.1])
    func windows(fade: Double) async throws {
        try await withDaemon({
            $0.music.window = 0.5
            $0.music.overlap = 0.2
            $0.music.fade = fade
        }) { daemon, _ in
            var digests: Set<String> = []
            for _ in 0..<2 {
                let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
                var request = WrittenRequest("a march", artifact: ArtifactRequest(type: .music, seconds: 2.1))
                var made: Artifact?
                try await client.ask(request) { if case .artifact(let artifact) = $0 { made = artifact } }
                #expect(made?.durationMilliseconds == 2100)
                digests.insert(try #require(made).sha256)
                // The conversation goes on behind it.
                request = WrittenRequest("hello")
                try await client.ask(request) { _ in }
                await client.close()
            }
            #expect(digests.count == 1, "the configuration's seed makes every session's first piece the same file")
        }
    }

    @Test("a file is played to the model, of any rate and number of channels, silent or of one sample")
    func play() async throws {
        var generator = TestGenerator(seed: 5)
        let clips = [
            AudioClip(sampleRate: 44_100, channels: 2, interleaved: generator.normal(88_200).map { $0 * 0.1 }),
            AudioClip(sampleRate: 192_000, channels: 8, interleaved: generator.normal(8 * 40_000).map { $0 * 0.1 }),
            AudioClip(sampleRate: 32_000, interleaved: [0.5]),
            AudioClip(sampleRate: 8000, interleaved: [Float](repeating: 0, count: 8000)),
            // Far longer than what is heard of it.
            AudioClip(sampleRate: 8000, interleaved: generator.normal(8000 * 60).map { $0 * 0.1 }),
        ]
        try await withDaemon { daemon, _ in
            for clip in clips {
                let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
                let request = try WrittenRequest("What instruments are these?", music: wav(clip))
                try await client.ask(request) { _ in }
                await client.close()
            }
        }
    }

    @Test("what cannot be heard is refused by one clear error, and the session lives on")
    func badFiles() async throws {
        var generator = TestGenerator(seed: 6)
        var floats = [UInt8]()
        // A WAV of 32-bit floats, one of which is no number.
        for value in [Float(0.1), .nan, 0.2] { withUnsafeBytes(of: value.bitPattern.littleEndian) { floats += $0 } }
        func le(_ value: UInt32, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let header =
            Array("RIFF".utf8) + le(UInt32(36 + floats.count), 4) + Array("WAVEfmt ".utf8) + le(16, 4) + le(3, 2)
            + le(1, 2) + le(32_000, 4) + le(128_000, 4) + le(4, 2) + le(32, 2) + Array("data".utf8)
            + le(UInt32(floats.count), 4)
        let large = try wav(AudioClip(sampleRate: 32_000, interleaved: generator.normal(40_000)))
        let cases: [(file: [UInt8], words: String)] = [
            (Array("just some text in a file called .wav\n".utf8), "cannot be heard"),
            (header + floats, "not a number"), ([], "cannot be heard"), (large, "more than the 65536 bytes"),
        ]
        try await withDaemon({ $0.music.maxUploadBytes = 65_536 }) { daemon, _ in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            for (file, words) in cases {
                let request = WrittenRequest("What is this?", music: file)
                do {
                    try await client.ask(request) { _ in }
                    Issue.record("taken: \(words)")
                } catch ClientError.server(let error) {
                    #expect(error.message.contains(words) && !error.message.contains("/tmp"), "\(error.message)")
                }
                // What the same request caused further: there is no question to answer, or no file.
                if case .event(.error) = try await client.next() {}
            }
            await client.close()
        }
    }

    @Test("somebody's speech goes on while another's piece is made") func besideSpeech() async throws {
        try await withDaemon({
            $0.sampling.speech.maxNewTokens = 100
            $0.sampling.speech.minNewTokens = 100
        }) { daemon, _ in
            let composer = try await TestClient(port: daemon.port)
            try composer.send(
                #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"a waltz"}]}}"#
            )
            try composer.send(#"{"type":"response.create","response":{"artifact":{"type":"music","seconds":60}}}"#)
            _ = try await composer.next { $0.name == "response.output_artifact.progress" }
            let speaker = try await TestClient(port: daemon.port)
            try await speak(speaker)
            let last = try await speaker.next { $0.frame?.isLast == true }
            #expect((last.frame?.sequence ?? 0) > 20, "some 2 s of speech")
            try composer.send(#"{"type":"response.cancel"}"#)
            #expect(try await composer.untilDone().done?.status == .cancelled, "it was still being made")
            await composer.close()
            await speaker.close()
        }
    }

    @Test("without an Encodec, music is refused with what to do about it")
    func unavailable() async throws {
        try await withDaemon(music: false) { daemon, folder in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            let request = WrittenRequest("a quiet piano", artifact: ArtifactRequest(type: .music))
            do {
                try await client.ask(request) { _ in }
                Issue.record("music without an Encodec")
            } catch ClientError.server(let error) {
                #expect(error.code == .musicUnavailable && error.message.contains("encodec"))
            }
            await client.close()
            #expect(files(folder).isEmpty)
        }
    }

    @Test("to OpenAI's clients a piece is a line of text with its URL")
    func openAI() async throws {
        try await withDaemon { daemon, folder in
            let client = try await TestClient(port: daemon.port, subprotocol: nil)
            try client.send(
                #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"a waltz"}]}}"#
            )
            try client.send(#"{"type":"response.create","response":{"artifact":{"type":"music","seconds":0.4}}}"#)
            let turn = try await client.untilDone()
            #expect(turn.done?.status == .completed)
            #expect(turn.reply.hasPrefix("music: /v1/artifacts/"))
            #expect(!turn.names.contains { $0.contains("artifact") })
            #expect(files(folder).count == 1)
            await client.close()
        }
    }

    // MARK: Music that the model finds to be wanted

    /// Text is drawn without looking at what the model thinks of it, so that music comes up whatever it was trained on.
    private func anything(_ configuration: inout Configuration) {
        configuration.model.unclip = ""
        configuration.sampling.text.temperature = 1e6
        configuration.sampling.text.doSample = true
        configuration.sampling.text.maxNewTokens = 2
        configuration.sampling.speech.maxNewTokens = 12
        configuration.sampling.music.minNewTokens = 200
        configuration.sampling.music.maxNewTokens = 400
    }

    private func speak(_ client: TestClient) async throws {
        let clip = try AudioFile.read(Golden.file("chain", "question.wav").path)
        try await client.speak(clip.mono(sampleRate: 16_000) + [Float](repeating: 0, count: 16_000))
    }

    @Test("asked by voice, a piece comes behind the reply's speech, and the conversation goes on behind it")
    func spoken() async throws {
        try await withDaemon(anything) { daemon, folder in
            let client = try await TestClient(port: daemon.port)
            for _ in 0..<40 {
                try await speak(client)
                var (names, artifacts, transcript, packets): ([String], [ArtifactDone], String, Int) = ([], [], "", 0)
                var timing: ResponseTiming?
                while names.last != "response.done" {
                    let incoming = try await client.receive()
                    if incoming.frame != nil, artifacts.isEmpty { packets += 1 }
                    guard let event = incoming.event else { continue }
                    names.append(incoming.name)
                    switch event {
                    case .inputTranscriptionCompleted(let completed): transcript = completed.transcript
                    case .artifactProgress(let progress): #expect(progress.kind == .music)
                    case .artifactDone(let done): artifacts.append(done)
                    case .responseTiming(let measured): timing = measured
                    case .responseDone(let response): #expect(response.status == .completed)
                    default: break
                    }
                }
                guard let artifact = artifacts.first?.artifact else { continue }
                #expect(artifacts.count == 1 && artifact.type == .music && artifact.mimeType == "audio/flac")
                #expect(packets > 0, "the reply is heard first")
                #expect((1000...2000).contains(artifact.durationMilliseconds ?? 0))
                #expect(names.contains("response.output_artifact.progress"))
                #expect(try #require(timing?.artifactMilliseconds) <= #require(timing?.doneMilliseconds))
                #expect(files(folder) == ["\(artifact.id).flac"])
                let file = folder.appending(path: "\(artifact.id).flac")
                #expect(
                    try abs(AudioFile.read(file.path).seconds * 1000 - Double(artifact.durationMilliseconds ?? 0)) < 1)
                #expect(
                    try transcript.isEmpty || Data(contentsOf: file).range(of: Data(transcript.utf8)) != nil,
                    "its title is what was asked")
                try await speak(client)
                #expect(try await client.untilDone().done?.status == .completed)
                await client.close()
                return
            }
            Issue.record("no music in 40 turns")
        }
    }

    @Test("asked in writing, a piece comes behind the reply's text") func written() async throws {
        try await withDaemon(anything) { daemon, folder in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            for _ in 0..<40 where files(folder).isEmpty {
                let request = WrittenRequest("play something")
                var artifacts: [Artifact] = []
                try await client.ask(request) { update in
                    switch update {
                    case .artifact(let artifact): artifacts.append(artifact)
                    case .text, .timing: break
                    case .progress(let kind, _, _): #expect(kind == .music)
                    case .sound: Issue.record("speech in a written answer")
                    }
                }
                #expect(artifacts.map { "\($0.id).flac" } == files(folder) && artifacts.count <= 1)
            }
            #expect(files(folder).count == 1)
            await client.close()
        }
    }

    @Test("a spoken reply that is cancelled at its music leaves no file") func cancelSpoken() async throws {
        try await withDaemon({
            anything(&$0)
            $0.sampling.music.minNewTokens = 1000
            $0.sampling.music.maxNewTokens = 1000
        }) { daemon, folder in
            let client = try await TestClient(port: daemon.port)
            for _ in 0..<40 {
                try await speak(client)
                let incoming = try await client.next {
                    ["response.output_artifact.progress", "response.done"].contains($0.name)
                }
                guard incoming.name == "response.output_artifact.progress" else { continue }
                try client.send(#"{"type":"response.cancel"}"#)
                #expect(try await client.untilDone().done?.status == .cancelled)
                #expect(files(folder).isEmpty)
                await client.close()
                return
            }
            Issue.record("no music in 40 turns")
        }
    }

    @Test("an Encodec whose codes are not those of the vocabulary stops the start with one line about both")
    func unlike() async throws {
        let encodec = try SyntheticEncodec(codebookSize: 128)
        var configuration = try shippedConfiguration()
        configuration.model.encodec = encodec.folder.path
        let error = await #expect(throws: DaemonFailure.self) {
            try await TestDaemon.withDaemon(configuration) { _ in }
        }
        #expect(try #require(error).description.contains("1024 music tokens, the Encodec 4 levels of 128"))
    }

    @Test("a piece that was cancelled leaves no file, and the session makes another")
    func cancel() async throws {
        try await withDaemon { daemon, folder in
            let client = try await TestClient(port: daemon.port)
            let create =
                #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"a waltz"}]}}"#
            try client.send(create)
            try client.send(#"{"type":"response.create","response":{"artifact":{"type":"music","seconds":50}}}"#)
            _ = try await client.next { $0.name == "response.output_artifact.progress" }
            try client.send(#"{"type":"response.cancel"}"#)
            let turn = try await client.untilDone()
            #expect(turn.done?.status == .cancelled)
            #expect(files(folder).isEmpty)
            try client.send(create)
            try client.send(#"{"type":"response.create","response":{"artifact":{"type":"music","seconds":0.2}}}"#)
            #expect(try await client.untilDone().done?.status == .completed)
            #expect(files(folder).count == 1)
            await client.close()
        }
    }
}
