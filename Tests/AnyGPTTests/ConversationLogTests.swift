import AnyGPT
import Foundation
import TestSupport
import Testing
import Tokenizers

@Suite("Conversation log") struct ConversationLogTests {
    let tokenizer: LlamaTokenizer
    let vocabulary: ModalityVocabulary
    let template: PromptTemplate

    init() throws {
        tokenizer = try LlamaTokenizer(folder: Golden.folder("llama-hf"))
        vocabulary = try ModalityVocabulary(tokenizer)
        template = PromptTemplate(tokenizer: tokenizer, vocabulary: vocabulary)
    }

    private func makeLog() throws -> ConversationLog {
        try ConversationLog(tokenizer: tokenizer, vocabulary: vocabulary, template: template, start: .transcript)
    }

    private func answer(_ text: String, _ codes: [Int32]) throws -> [Int32] {
        try tokenizer.encode(text, addBOS: false) + [vocabulary.speech.start] + codes.map(vocabulary.speech.id(ofCode:))
            + [vocabulary.speech.end, vocabulary.endOfAnswer]
    }

    @Test("two turns are the ids of the whole conversation as one text") func wholeText() throws {
        var log = try makeLog()
        let (first, second): ([Int32], [Int32]) = ([5, 6, 7], [8, 9])
        log.openSpeech(item: "a")
        log.setSpeech(first)
        log.closeSpeech()
        log.beginAnswer()
        let said = [vocabulary.speech.start, vocabulary.speech.id(ofCode: 1), vocabulary.speech.end]
        log.setAnswer(said + [vocabulary.endOfAnswer])
        log.openSpeech(item: "b")
        log.setSpeech(second)
        log.closeSpeech()
        // The answers' marks belong to the answers; the chain's first mark ends each question.
        let request = PromptTask.voiceChat
        let text = template.text(
            [
                .init(
                    message: request.message(template.text(of: first, .speech)),
                    answer: "<-Ins->" + template.text(of: [1], .speech)),
                .init(message: request.message(template.text(of: second, .speech))),
            ], start: .transcript)
        #expect(log.ids == (try tokenizer.encode(text)))
    }

    @Test("what was not heard is cut, and what is cut twice is cut once") func cut() throws {
        var log = try makeLog()
        log.openSpeech()
        log.setSpeech([1])
        log.closeSpeech()
        log.beginAnswer()
        log.setAnswer(try answer("hello", [1, 2, 3, 4, 5]))
        let before = log.ids
        log.cutAnswer(toFrames: 9)
        #expect(log.ids == before, "more than there is means all of it")
        log.cutAnswer(toFrames: 2)
        #expect(log.ids.count == before.count - 3)
        #expect(log.ids.suffix(4) == (try answer("hello", [1, 2])).suffix(4))
        log.cutAnswer(toFrames: 4)
        #expect(log.ids.count == before.count - 3)
        log.cutAnswer(toFrames: 0)
        #expect(log.ids.count == before.count - 5)
    }

    @Test("a question can begin while the one before is still being answered") func overlap() throws {
        var log = try makeLog()
        log.openSpeech(item: "a")
        log.setSpeech([1])
        log.closeSpeech()
        log.beginAnswer()
        log.openSpeech(item: "b")
        log.setSpeech([2, 3])
        #expect(!log.canAnswer)
        let ids = try answer("hello", [4])
        log.setAnswer(ids)
        log.closeSpeech()
        #expect(log.canAnswer)
        let all = log.ids
        #expect(all.contains(vocabulary.speech.id(ofCode: 4)))
        #expect(
            all.firstIndex(of: vocabulary.speech.id(ofCode: 4))! < all.firstIndex(of: vocabulary.speech.id(ofCode: 2))!)
    }

    @Test("removed, dropped and unanswered turns leave a well-formed conversation") func edits() throws {
        var log = try makeLog()
        for (index, name) in ["a", "b", "c"].enumerated() {
            log.openSpeech(item: name)
            log.setSpeech([Int32(index)])
            log.closeSpeech()
        }
        log.openSpeech(item: "d")
        log.dropSpeech()
        #expect(log.turnCount == 3)
        #expect(log.ids.count { $0 == vocabulary.endOfAnswer } == 2, "a and b were closed without an answer")
        let removed = (log.remove(item: "b"), log.remove(item: "b"))
        #expect(removed == (true, false))
        let two = log.ids
        let dropped = (log.drop(toFit: two.count), log.drop(toFit: two.count - 1), log.drop(toFit: 1))
        #expect(dropped == (0, 1, 0), "as few as needed, and the last turn stays")
        var fresh = try makeLog()
        fresh.openSpeech(item: "c")
        fresh.setSpeech([2])
        fresh.closeSpeech()
        #expect(log.ids == fresh.ids, "a dropped turn leaves no trace")
    }
}
