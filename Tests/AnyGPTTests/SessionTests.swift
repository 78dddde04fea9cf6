import AnyGPT
import Checkpoints
import Foundation
import Llama
import SoundStorm
import SpeechTokenizer
import Synchronization
import Tensors
import TestSupport
import Testing

/// Whole conversations with the model of the repository, without sockets, codecs or clocks.
@Suite("Session") struct SessionTests {
    static let models = Golden.tests.deletingLastPathComponent().appending(path: "Models/pocket")

    /// The repository's model, loaded once for all tests.
    static let engine = Result {
        var settings = EngineSettings(
            llama: models.appending(path: "llama"), speechTokenizer: models.appending(path: "speech"),
            soundStorm: models.appending(path: "speech/speechtokenizer_soundstorm_mls.pt"))
        settings.streaming.chunkFrames = [10, 20]
        return try Engine(settings, voice: nil)
    }

    /// What a session told.
    final class Record: Sendable {
        private let state = Mutex<[SessionEvent]>([])
        var events: [SessionEvent] { state.withLock { $0 } }
        func add(_ event: SessionEvent) { state.withLock { $0.append(event) } }

        var samples: [Float] { events.flatMap { if case .speech(let samples) = $0 { samples } else { [Float]() } } }
        var reply: String {
            events.map { if case .answer(.reply(let text)) = $0 { text } else { "" } }.joined()
        }
    }

    private func question() throws -> [Float] {
        try Checkpoint.open(Golden.file("chain", "inputs.safetensors")).tensor("question.wave").values
    }

    private var rules: AnswerRules {
        var rules = AnswerRules.voiceReply
        rules.chain = .required
        rules.maximumTranscriptTokens = 5
        rules.maximumReplyTokens = 5
        rules.maximumSpeechFrames = 70
        return rules
    }

    private func makeSession(seed: UInt64 = 3) throws -> (Session, Record) {
        let record = Record()
        return (try Session(Self.engine.get(), seed: seed) { record.add($0) }, record)
    }

    @Test("speech that was heard in small pieces ends in exactly the offline tokens") func tokens() async throws {
        let engine = try Self.engine.get()
        let wave = try question()
        let (session, record) = try makeSession()
        try await session.prepare()
        try await session.openTurn(item: "q")
        for start in stride(from: 0, to: wave.count, by: 320) {
            try await session.hear(Array(wave[start..<min(start + 320, wave.count)]))
        }
        #expect(try await session.closeTurn() == engine.speechTokenizer.encode(wave)[0])
        let heard = record.events.compactMap { if case .heard(let frames, _) = $0 { frames } else { nil } }
        #expect(heard.count > 3 && heard == heard.sorted(), "tokens were fed while the person spoke: \(heard)")
    }

    @Test(
        "an answer depends on what was said and the seed alone, not on how the sound was cut or what was heard before")
    func cuts() async throws {
        let wave = try question()
        var answers: [(String, [Float])] = []
        for piece in [160, 320, 5000, wave.count] {
            let (session, record) = try makeSession()
            if piece == 320 { try await session.prepare() }
            if piece == 5000 {
                // A turn that was thrown away leaves no trace.
                try await session.openTurn(item: "dropped")
                try await session.hear(Array(wave.reversed()))
                await session.dropTurn()
            }
            try await session.openTurn(item: "q")
            for start in stride(from: 0, to: wave.count, by: piece) {
                try await session.hear(Array(wave[start..<min(start + piece, wave.count)]))
            }
            try await session.closeTurn()
            let outcome = try await session.answer(rules: rules)
            #expect(outcome.isComplete)
            #expect(record.samples.count == outcome.speechFrames * 320)
            answers.append((record.reply, record.samples))
        }
        for answer in answers.dropFirst() {
            #expect(answer.0 == answers[0].0)
            #expect(answer.1.map(\.bitPattern) == answers[0].1.map(\.bitPattern))
        }
    }

    @Test("sound comes before the last token, and the events are in order") func order() async throws {
        let (session, record) = try makeSession()
        try await session.openTurn(item: "q")
        try await session.hear(try question())
        try await session.closeTurn()
        var rules = rules
        rules.maximumSpeechFrames = 150
        let outcome = try await session.answer(rules: rules)
        let events = record.events
        let firstSound = events.firstIndex { if case .speech = $0 { true } else { false } }
        let lastToken = events.firstIndex(of: .lastToken)
        if outcome.speechFrames > 40 {
            #expect(try #require(firstSound) < #require(lastToken))
        }
        #expect(events.last == .speechEnded || events.contains(.speechEnded))
    }

    @Test("a stopped answer leaves a conversation that goes on") func stop() async throws {
        let (session, record) = try makeSession()
        try await session.openTurn(item: "q")
        try await session.hear(try question())
        try await session.closeTurn()
        var rules = rules
        rules.maximumSpeechFrames = 1400
        rules.minimumTokens = 1400
        let long = rules
        async let outcome = session.answer(rules: long)
        while record.samples.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        await session.stop()
        #expect(try await !outcome.isComplete)
        await session.cutAnswer(toFrames: 3)
        try await session.openTurn(item: "q2")
        try await session.hear(try question())
        try await session.closeTurn()
        #expect(try await session.answer(rules: self.rules).isComplete)
    }

    @Test("a conversation longer than the context forgets its oldest turns instead of failing") func longConversation()
        async throws
    {
        let (session, _) = try makeSession()
        let wave = try question()
        let capacity = try Self.engine.get().llama.configuration.max_position_embeddings
        // Long answers in text are the cheapest way to fill a context.
        var rules = AnswerRules.textReply
        rules.minimumTokens = 600
        rules.maximumTranscriptTokens = 300
        rules.maximumReplyTokens = 300
        var tokens = 0
        var turn = 0
        while tokens <= capacity + 1500 {
            try await session.openTurn(item: "q\(turn)")
            try await session.hear(wave)
            try await session.closeTurn()
            let outcome = try await session.answer(rules: rules)
            #expect(outcome.isComplete && outcome.inputTokens < capacity)
            tokens += outcome.outputTokens + wave.count / 320
            turn += 1
        }
    }

    @Test("a written question is answered in text") func written() async throws {
        let (session, record) = try makeSession()
        try await session.write("what is your name", item: "w")
        var rules = AnswerRules.textReply
        rules.maximumReplyTokens = 8
        #expect(try await session.answer(rules: rules).isComplete)
        #expect(record.samples.isEmpty)
        #expect(await session.canAnswer == false)
        await #expect(throws: EngineError.self) { try await session.answer(rules: rules) }
    }
}
