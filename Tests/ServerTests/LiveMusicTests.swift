import Testing
import Wire

@testable import Client

@Suite("The music of a live conversation, on a server that follows a script", .timeLimit(.minutes(1)))
struct LiveMusicTests: StubbedConversation {
    private static let piece = Artifact(
        id: "piece", type: .music, mimeType: "audio/flac", bytes: 1, sha256: "", url: "/v1/artifacts/piece")

    /// The response `answer` began announces a piece.
    private func announce(_ artifact: Artifact, _ item: String, _ link: StubLink) {
        link.say(
            .artifactDone(
                ArtifactDone(responseID: "resp_\(item)", itemID: item, outputIndex: 0, artifact: artifact)))
    }

    private func finish(_ item: String, _ link: StubLink, _ status: Response.Status = .completed) {
        link.say(.responseDone(Response(id: "resp_\(item)", status: status)))
    }

    private func stops(_ updates: Mutexed<[LiveConversation.Update]>) -> [Duration] {
        updates.value.compactMap { if case .musicStopped(let time) = $0 { time } else { nil } }
    }

    @Test("Music is fetched when it is announced, and heard behind all of the answer's speech; speech stops it")
    func music() async throws {
        let asked = Mutexed<[String]>([])
        try await with(
            .handsFree,
            music: { artifact in
                asked.change { $0.append(artifact.id) }
                return [Float](repeating: 0.2, count: 96_000)
            }
        ) { conversation, link, sound, updates in
            link.answer("item_a", samples: 4800, isDone: false)
            announce(Self.piece, "item_a", link)
            try await wait { asked.value == ["piece"] }
            // More speech of the same answer, which was on its way.
            link.answer("item_a", samples: 4800, isDone: false)
            try await wait { sound.position.total == 9600 }
            finish("item_a", link)
            try await wait { sound.position.total == 9600 + 96_000 }
            #expect(await conversation.phase == .speaking)
            sound.state.change { $0.heard = 9600 + 36_000 }
            #expect(await conversation.phase == .playing)
            link.say(Self.started)
            try await wait { sound.flushes.value == 1 }
            #expect(stops(updates) == [.milliseconds(1500)])
            #expect(link.sent.value.isEmpty, "of the speech nothing was missed")
            #expect(asked.value.count == 1)
        }
    }

    @Test("A picture is not played, and without a player nothing is fetched")
    func pictures() async throws {
        let asked = Mutexed(0)
        var picture = Self.piece
        picture.type = .image
        for (player, artifact) in [(true, picture), (false, Self.piece)] {
            let fetch: @Sendable (Artifact) async throws -> [Float]? = { _ in
                asked.change { $0 += 1 }
                return [0.1]
            }
            try await with(.handsFree, music: player ? fetch : nil) { _, link, sound, _ in
                link.answer("item_a", samples: 480, isDone: false)
                announce(artifact, "item_a", link)
                finish("item_a", link)
                link.answer("item_b", samples: 480, isDone: true)
                try await wait { sound.position.total >= 960 }
                #expect(asked.value == 0 && sound.position.total == 960)
            }
        }
    }

    @Test("Speech before the music has come, or is begun, is the end of it; that of the next answer is heard at once")
    func musicTooLate() async throws {
        for isSpoken in [true, false] {
            let mayCome = Mutexed(false)
            let isCancelled = Mutexed(false)
            try await with(
                .handsFree,
                music: { _ in
                    while !mayCome.value {
                        do { try await Task.sleep(for: .milliseconds(2)) } catch {
                            isCancelled.change { $0 = true }
                            throw error
                        }
                    }
                    return [Float](repeating: 0.2, count: 24_000)
                }
            ) { _, link, sound, updates in
                link.answer("item_a", samples: 480, isDone: false)
                announce(Self.piece, "item_a", link)
                finish("item_a", link)
                try await wait { sound.position.total == 480 }
                sound.state.change { $0.heard = 480 }
                if isSpoken { link.say(Self.started) }
                link.answer("item_b", samples: 960, isDone: true)
                try await wait { isCancelled.value && sound.position.total == 1440 }
                mayCome.change { $0 = true }
                link.answer("item_c", samples: 480, isDone: true)
                try await wait { sound.position.total == 1920 }
                #expect(stops(updates).isEmpty)
            }
        }
    }

    @Test("The music of an answer that was cancelled is not heard")
    func cancelledMusic() async throws {
        try await with(.handsFree, music: { _ in [Float](repeating: 0.2, count: 24_000) }) { _, link, sound, _ in
            link.answer("item_a", samples: 480, isDone: false)
            announce(Self.piece, "item_a", link)
            finish("item_a", link, .cancelled)
            link.answer("item_b", samples: 480, isDone: true)
            try await wait { sound.position.total >= 960 }
            #expect(sound.position.total == 960)
        }
    }

    @Test("Push-to-talk: the button stops music, and how much of it was heard is shown")
    func buttonStopsMusic() async throws {
        try await with(.pushToTalk, music: { _ in [Float](repeating: 0.2, count: 48_000) }) {
            conversation, link, sound, updates in
            link.answer("item_a", samples: 480, isDone: false)
            announce(Self.piece, "item_a", link)
            finish("item_a", link)
            try await wait { sound.position.total == 48_480 }
            sound.state.change { $0.heard = 24_480 }
            await conversation.beginTurn()
            #expect(sound.flushes.value == 1 && stops(updates) == [.seconds(1)])
        }
    }

    @Test("Music that cannot be had is told of in one line, and the conversation goes on")
    func noMusic() async throws {
        struct Failure: Error, CustomStringConvertible { let description = "it is gone" }
        try await with(.handsFree, music: { _ in throw Failure() }) { _, link, sound, updates in
            link.answer("item_a", samples: 480, isDone: false)
            announce(Self.piece, "item_a", link)
            finish("item_a", link)
            func notices() -> [String] {
                updates.value.compactMap { if case .notice(let line) = $0 { line } else { nil } }
            }
            try await wait { !notices().isEmpty }
            link.answer("item_b", samples: 480, isDone: true)
            try await wait { sound.position.total == 960 }
            #expect(notices() == ["the music cannot be played: it is gone"])
        }
    }
}
