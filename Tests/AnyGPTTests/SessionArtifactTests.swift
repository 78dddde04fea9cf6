import AnyGPT
import Checkpoints
import Foundation
import SoundStorm
import Tensors
import TestModels
import TestSupport
import Testing

/// Pictures and music that the model finds to be wanted in a spoken turn. Its text is drawn without looking at what the
/// model thinks of it, so that all forms of an answer come up, whatever it was trained on.
@Suite("A session's pictures and music") struct SessionArtifactTests {
    private static let engine = Result {
        var settings = EngineSettings(
            llama: SessionTests.models.appending(path: "llama"),
            speechTokenizer: SessionTests.models.appending(path: "speech"),
            soundStorm: SessionTests.models.appending(path: "speech/speechtokenizer_soundstorm_mls.pt"))
        settings.seed = SessionTests.models.appending(path: "seed")
        settings.unclip = SessionTests.models.appending(path: "unclip")
        let encodec = try SyntheticEncodec()
        settings.encodec = encodec.folder
        settings.pictures.steps = 2
        settings.pictures.guidance = 1
        settings.streaming.chunkFrames = [10, 20]
        settings.sampling.text.temperature = 1e6
        return try withExtendedLifetime(encodec) { try Engine(settings, voice: nil) }
    }

    private func rules(_ modality: Modality) -> AnswerRules {
        var rules = AnswerRules.voiceReply
        rules.modalities.insert(modality)
        rules.maximumTranscriptTokens = 2
        rules.maximumReplyTokens = 2
        rules.maximumSpeechFrames = 40
        (rules.minimumMusicFrames, rules.maximumMusicFrames) = (20, 60)
        return rules
    }

    /// Answers a question until an answer is as wanted; its events.
    private func answer(_ modality: Modality, where wanted: ([SessionEvent]) -> Bool) async throws -> [SessionEvent] {
        let wave = try Checkpoint.open(Golden.file("chain", "inputs.safetensors")).tensor("question.wave").values
        for seed in 1...40 as ClosedRange<UInt64> {
            let record = SessionTests.Record()
            let session = try Session(Self.engine.get(), seed: seed) { record.add($0) }
            try await session.openTurn(item: "q")
            try await session.hear(wave)
            try await session.closeTurn()
            let outcome = try await session.answer(rules: rules(modality))
            #expect(outcome.isComplete)
            if wanted(record.events) { return record.events }
        }
        Issue.record("no such answer in 40")
        return []
    }

    private func place(_ events: [SessionEvent], _ event: (SessionEvent) -> Bool) throws -> Int {
        let place = events.firstIndex(where: event)
        return try #require(place)
    }

    private static func isSpeech(_ event: SessionEvent) -> Bool { if case .speech = event { true } else { false } }
    private static func isPicture(_ event: SessionEvent) -> Bool { if case .picture = event { true } else { false } }
    private static func isDrawing(_ event: SessionEvent) -> Bool { if case .drawing = event { true } else { false } }

    @Test("a picture whose tokens come before the speech waits until that is heard")
    func pictureBeforeSpeech() async throws {
        let events = try await answer(.image) { events in
            guard let image = events.firstIndex(of: .answer(.began(.image))),
                let speech = events.firstIndex(of: .answer(.began(.speech)))
            else { return false }
            return image < speech
        }
        #expect(try place(events, Self.isSpeech) < place(events, Self.isDrawing))
        #expect(events.count(where: Self.isPicture) == 1)
        #expect(events.count { $0 == .speechEnded } == 1)
    }

    @Test("a picture whose tokens come behind the speech is drawn as well")
    func pictureBehindSpeech() async throws {
        let events = try await answer(.image) { events in
            guard let image = events.firstIndex(of: .answer(.began(.image))),
                let speech = events.firstIndex(of: .answer(.began(.speech)))
            else { return false }
            return speech < image
        }
        #expect(try place(events, Self.isSpeech) < place(events, Self.isPicture))
        #expect(events.count(where: Self.isPicture) == 1)
    }

    @Test("music follows the speech, in whole frames") func music() async throws {
        let events = try await answer(.music) { $0.contains(.answer(.began(.music))) }
        let began = try place(events) { $0 == .answer(.began(.music)) }
        #expect(try place(events) { $0 == .answer(.began(.speech)) } < began)
        let codes = events.count { if case .answer(.musicCode) = $0 { true } else { false } }
        #expect(codes.isMultiple(of: 4) && (20...60).contains(codes / 4))
        let samples = events.reduce(0) { if case .music(let samples) = $1 { $0 + samples.count } else { $0 } }
        #expect(samples == codes / 4 * 640)
        #expect(events.count { $0 == .musicEnded } == 1)
        #expect(try began < place(events) { if case .music = $0 { true } else { false } })
    }

    /// A piece of a second and a fifth, in windows of half a second of which the last tenth is made twice.
    private func piece(seed: UInt64, fade: Int) async throws -> (codes: [AnswerEvent], sound: [Float], joins: [Int]) {
        let record = SessionTests.Record()
        let session = try Session(Self.engine.get(), seed: seed) { record.add($0) }
        try await session.write("a slow sad piano tune", item: "q")
        let window = MusicWindow(frames: 25, overlap: 12, fade: fade)
        let outcome = try await session.answer(rules: .music(frames: 60, atLeast: 60, window: window), as: .music)
        #expect(outcome.isComplete)
        var (codes, sound): ([AnswerEvent], [Float]) = ([], [])
        for event in record.events {
            switch event {
            case .answer(.musicCode(let code)): codes.append(.musicCode(code))
            case .music(let samples): sound += samples
            default: break
            }
        }
        return (codes, sound, outcome.musicJoins)
    }

    @Test("a piece whose windows are faded over is the same with the same seed, to the last bit")
    func fadedTwice() async throws {
        let (first, second) = (try await piece(seed: 11, fade: 5), try await piece(seed: 11, fade: 5))
        #expect(first.codes.count == 60 * 4 && first.sound.count == 60 * 640)
        #expect(first.joins.count == 3, "three windows follow the first: \(first.joins)")
        #expect(first.codes == second.codes && first.joins == second.joins)
        #expect(first.sound == second.sound)
        let other = try await piece(seed: 12, fade: 5)
        #expect(other.codes != first.codes)
        // The frames before the first place that is made twice are the same without a fade, what follows is not.
        let plain = try await piece(seed: 11, fade: 0)
        #expect(plain.codes.prefix(20 * 4) == first.codes.prefix(20 * 4) && plain.codes != first.codes)
    }
}
