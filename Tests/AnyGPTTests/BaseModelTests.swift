import Checkpoints
import Foundation
import Llama
import SoundStorm
import Tensors
import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

/// A base model's tasks in sessions, against what its backbone alone makes of the reference's prompts.
@Suite("A base model's sessions") struct BaseModelTests {
    private static let engine = Result {
        var settings = EngineSettings(
            llama: Golden.folder("llama-hf"), speechTokenizer: Golden.folder("speechtokenizer-snake"),
            soundStorm: Golden.file("soundstorm", "speechtokenizer_soundstorm_mls.pt"))
        settings.soundStormDescription = SoundStormDescription(heads: 4, headSize: 16)
        settings.encodec = Golden.file("encodec", "encodec_32khz")
        settings.kind = .base
        settings.sampling.text.doSample = false
        settings.sampling.speech.doSample = false
        settings.sampling.music.doSample = false
        settings.sampling.music.repetitionPenalty = 1
        return try Engine(settings, voice: nil)
    }

    private let engine: Engine
    private let picture: [Int32] = (0..<32).map { $0 * 200 + 3 }
    private let music: [Int32] = (0..<40).map { Int32($0 % 4 * 2048 + $0 * 7) }

    init() throws { engine = try Self.engine.get() }

    private var rules: AnswerRules {
        var rules = AnswerRules.plainText
        rules.maximumReplyTokens = 12
        return rules
    }

    private func makeSession() throws -> (Session, SessionTests.Record) {
        let record = SessionTests.Record()
        return (try Session(engine, seed: 1) { record.add($0) }, record)
    }

    /// What follows a prompt when the likeliest text token is always taken.
    private func greedyText(_ prompt: String) throws -> String {
        let scratch = LlamaScratch(engine.llama.configuration)
        var cache = LlamaCache(engine.llama.configuration)
        var next = try engine.tokenizer.encode(prompt)
        let ends = [engine.vocabulary.endOfAnswer, engine.vocabulary.endOfText]
        var ids: [Int32] = []
        while ids.count < 12 {
            try engine.llama.forward(next, cache: &cache, scratch: scratch)
            let best = scratch.withLogits { logits in
                (0..<Int32(logits.count)).filter { engine.vocabulary.text.contains($0) || ends.contains($0) }
                    .max { logits[Int($0)] < logits[Int($1)] }
            }
            let id = try #require(best)
            if ends.contains(id) { break }
            ids.append(id)
            next = [id]
        }
        return text(ids)
    }

    private func text(_ ids: [Int32]) -> String {
        var parser = ChainParser(tokenizer: engine.tokenizer, vocabulary: engine.vocabulary)
        return (ids.flatMap { parser.consume($0) } + parser.finish()).map {
            if case .reply(let text) = $0 { text } else { "" }
        }.joined()
    }

    private func shown(_ codes: [Int32], _ modality: Modality) -> String {
        engine.template.text(of: codes, modality)
    }

    @Test("each text is that of the reference's prompt alone, whatever was asked before")
    func texts() async throws {
        let (session, record) = try makeSession()
        let wave = try Checkpoint.open(Golden.file("chain", "inputs.safetensors")).tensor("question.wave").values
        let (image, sound) = (shown(picture, .image), shown(music, .music))
        var made: [String] = []
        func answer(_ form: AnswerForm = .words) async throws {
            let before = record.reply.count
            #expect(try await session.refusal(of: form) == nil)
            #expect(try await session.answer(rules: rules, as: form).isComplete)
            made.append(String(record.reply.dropFirst(before)))
        }
        try await session.write("", picture: picture, item: "a")
        try await answer()
        try await session.write("What is in it?", picture: picture, item: "b")
        try await answer()
        try await session.prepare()
        try await session.openTurn(item: "c")
        try await session.hear(wave)
        let codes = try await session.closeTurn()
        try await answer(.transcript)
        try await session.write("", music: music, item: "d")
        try await answer()
        let prompts = [
            "[Human]: Describe the scene in this picture. \(image)<eoh> [MMGPT]:",
            "[Human]: What is in it? \(image)<eoh> [MMGPT]:",
            "[Human]: Please transcribe this speech into written text. \(shown(codes, .speech))<eoh> [MMGPT]:",
            "[Human]: Listen to the music and describe the mood it evokes. \(sound)<eoh> [MMGPT]:",
        ]
        #expect(made == (try prompts.map(greedyText)))
        #expect(Set(made).count == 4 && !made.contains(""))
    }

    @Test("with beams it is the text that a beam search after the prompt finds")
    func beams() async throws {
        let prompt = "[Human]: Describe the scene in this picture. \(shown(picture, .image))<eoh> [MMGPT]:"
        var search = BeamSearch(maxNewTokens: 12)
        search.beams = 5
        search.eos = [engine.vocabulary.endOfAnswer, 2]
        search.suppressed = engine.vocabulary.text.union(TokenSet(ids: search.eos)).complement(
            in: 0..<Int32(engine.llama.configuration.vocab_size))
        var cache = LlamaCache(engine.llama.configuration)
        let found = try search.run(
            engine.tokenizer.encode(prompt), on: engine.llama, cache: &cache,
            scratch: LlamaScratch(engine.llama.configuration))
        let (session, record) = try makeSession()
        var rules = rules
        rules.beams = 5
        // The search leaves nothing behind: the second is like the first.
        for _ in 0..<2 {
            let before = record.reply.count
            try await session.write("", picture: picture, item: "a")
            let outcome = try await session.answer(rules: rules)
            #expect(outcome.isComplete && outcome.outputTokens >= found[0].ids.count)
            #expect(String(record.reply.dropFirst(before)) == text(found[0].ids))
        }
        #expect(text(found[0].ids) != (try greedyText(prompt)), "a picture for which it makes a difference")
    }

    @Test("a beam search can be stopped, and tells nothing then", .timeLimit(.minutes(1)))
    func stopped() async throws {
        let (session, record) = try makeSession()
        var rules = rules
        (rules.beams, rules.maximumReplyTokens) = (64, 2000)
        try await session.write("", music: music, item: "a")
        let settled = rules
        let answer = Task { try await session.answer(rules: settled) }
        let stopping = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(20))
                await session.stop()
            }
        }
        await #expect(throws: CancellationError.self) { _ = try await answer.value }
        stopping.cancel()
        await stopping.value
        #expect(record.reply.isEmpty)
        try await session.write("", picture: picture, item: "b")
        #expect(try await session.answer(rules: self.rules).isComplete)
    }

    @Test("what is made of a text follows the reference's prompt and the mark of what is made")
    func made() async throws {
        let (session, record) = try makeSession()
        func count(_ text: String) throws -> Int { try engine.tokenizer.encode(text).count }
        var reading = AnswerRules.reading
        reading.maximumSpeechFrames = 20
        try await session.write("good morning", item: "a")
        let read = try await session.answer(rules: reading, as: .reading)
        #expect(
            try read.inputTokens
                == count(
                    "[Human]: Would you kindly read this text out loud so that I can hear it? "
                        + "This is input: good morning<eoh> [MMGPT]: <sosp>"))
        #expect(read.speechFrames > 0 && !record.samples.isEmpty && record.reply.isEmpty)
        try await session.write("a march", item: "b")
        let piece = try await session.answer(rules: .music(frames: 10, atLeast: 10), as: .music)
        let prompt =
            "[Human]: Create a musical piece that captures the essence of this caption. "
            + "This is input: a march<eoh> [MMGPT]: <somu>"
        #expect(try piece.inputTokens == count(prompt) && piece.musicTokens == 40)
        // The codes are the likeliest after that prompt, level by level.
        let codes = record.events.compactMap { if case .answer(.musicCode(let code)) = $0 { code } else { nil } }
        let scratch = LlamaScratch(engine.llama.configuration)
        var cache = LlamaCache(engine.llama.configuration)
        try engine.llama.forward(engine.tokenizer.encode(prompt), cache: &cache, scratch: scratch)
        let block = try #require(engine.vocabulary.music)
        for (index, code) in codes.enumerated() {
            let level = Int(block.codes.lowerBound) + index % 4 * 2048
            let best = scratch.withLogits { logits in
                (level..<level + 2048).max { logits[$0] < logits[$1] }
            }
            #expect(best == Int(block.id(ofCode: code)), "code \(index)")
            try engine.llama.forward(block.id(ofCode: code), cache: &cache, scratch: scratch)
        }
    }

    @Test("what a base model was not taught is refused, and the question can still be asked something else")
    func refusals() async throws {
        let (session, _) = try makeSession()
        func refusal(_ form: AnswerForm) async throws -> BaseModelRefusal? {
            let refusal = try await session.refusal(of: form)
            guard let refusal else { return nil }
            await #expect(throws: refusal) { _ = try await session.answer(rules: rules, as: form) }
            return refusal
        }
        try await session.write("hello", item: "a")
        #expect(try await refusal(.words) == .conversation)
        #expect(try await refusal(.transcript) == .noSpeech)
        #expect(try await refusal(.reading) == nil)
        try await session.write("hello", picture: picture, item: "b")
        #expect(try await refusal(.music) == .noTextAlone)
        try await session.write("", picture: picture, music: music, item: "c")
        #expect(try await refusal(.words) == .severalInputs)
        try await session.openTurn(item: "d")
        try await session.hear([Float](repeating: 0.1, count: 16_000))
        try await session.closeTurn()
        #expect(try await refusal(.words) == .conversation)
        #expect(try await refusal(.reading) == .noTextAlone)
        #expect(try await refusal(.transcript) == nil)
        #expect(try await session.answer(rules: rules, as: .transcript).isComplete)
    }

    @Test("a turn that was dropped leaves the question before it")
    func dropped() async throws {
        let (session, record) = try makeSession()
        try await session.write("", picture: picture, item: "a")
        try await session.openTurn(item: "b")
        try await session.hear([Float](repeating: 0.1, count: 8000))
        await session.dropTurn()
        #expect(try await session.answer(rules: rules).isComplete && !record.reply.isEmpty)
    }
}
