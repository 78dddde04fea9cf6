import Client
import Server
import TestDaemon
import Testing
import Wire

/// What may be asked for, and how often.
extension MusicTests {
    @Test(
        "a piece that is too long, has no length or is to be of an unknown kind is refused, and the session makes another",
        arguments: [
            (ArtifactRequest(type: .music, seconds: 2.5), "up to 2.0 s can be made"),
            (ArtifactRequest(type: .music, seconds: 0), "up to 2.0 s can be made"),
            (ArtifactRequest(type: .music, seconds: -1), "up to 2.0 s can be made"),
            (ArtifactRequest(type: .music, format: "mp3"), "none of flac, wav and opus"),
        ])
    func refused(_ asked: ArtifactRequest, _ words: String) async throws {
        try await withDaemon({ $0.music.maxSeconds = 2 }) { daemon, folder in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            var request = WrittenRequest("a march", artifact: asked)
            do {
                try await client.ask(request) { _ in }
                Issue.record("made")
            } catch ClientError.server(let error) {
                #expect(error.code == .invalidValue && error.message.contains(words), "\(error)")
            }
            #expect(files(folder).isEmpty)
            // As long as may be.
            request.artifact = ArtifactRequest(type: .music, seconds: 2)
            var durations: [Int?] = []
            try await client.ask(request) {
                if case .artifact(let artifact) = $0 { durations.append(artifact.durationMilliseconds) }
            }
            #expect(durations == [2000])
            await client.close()
        }
    }

    @Test("a session makes no more pieces than one may, and goes on without") func perSession() async throws {
        try await withDaemon({ $0.artifacts.maxPerSession = 2 }) { daemon, folder in
            let client = try await RealtimeClient.connect(to: url(daemon), turnEnd: .commit)
            var request = WrittenRequest("a march", artifact: ArtifactRequest(type: .music, seconds: 0.2))
            for _ in 0..<2 { try await client.ask(request) { _ in } }
            do {
                try await client.ask(request) { _ in }
                Issue.record("a third one")
            } catch ClientError.server(let error) {
                #expect(error.message.contains("has made 2 artifacts"), "\(error)")
            }
            #expect(files(folder).count == 2)
            request.artifact = nil
            try await client.ask(request) { update in
                if case .artifact = update { Issue.record("a third one, unasked") }
            }
            await client.close()
        }
    }
}
