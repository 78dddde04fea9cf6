import Foundation
import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

@Suite struct PromptTemplateTests {
    private struct Strings: Decodable {
        struct Entry: Decodable {
            let name: String
            let text: String
            let ids: [Int32]
        }

        let tokenize: [Entry]
    }

    private func golden(_ name: String) throws -> (text: String, ids: [Int32]) {
        let data = try Data(contentsOf: Golden.file("llama-hf", "strings.json"))
        let entries = try JSONDecoder().decode(Strings.self, from: data).tokenize
        let entry = try #require(entries.first { $0.name == name })
        return (entry.text, entry.ids)
    }

    private func template() throws -> (GoldenModel, PromptTemplate) {
        let model = try GoldenModel()
        return (model, PromptTemplate(tokenizer: model.tokenizer, vocabulary: model.vocabulary))
    }

    private func speechCodes(_ ids: [Int32], _ vocabulary: ModalityVocabulary) -> [Int32] {
        ids.compactMap(vocabulary.speech.code(of:))
    }

    @Test func aSpokenTurnInPartsIsTheWholeString() throws {
        let (model, template) = try template()
        let (text, ids) = try golden("chat speech single turn")
        let codes = speechCodes(ids, model.vocabulary)
        let message = PromptTask.voiceChat.message(template.text(of: codes, .speech))
        #expect(template.text([.init(message: message)]).utf8.elementsEqual(text.utf8))
        let parts = [
            try template.spokenTurnOpening(isFirst: true), codes.map(model.vocabulary.speech.id(ofCode:)),
            try template.spokenTurnClosing(),
        ]
        #expect(parts.flatMap { $0 } == ids)
        #expect(parts[0].last == model.vocabulary.speech.start)
    }

    @Test(arguments: [
        ("chat text, force speech", "Can you read this for me?", AnswerStart.speech),
        ("chat text, force image", "  Draw a picture of the sunny beach.\n", .image),
        ("chat text, force music", "Compose something quiet.", .music),
    ])
    func aWrittenTurnIsTheWholeString(name: String, message: String, start: AnswerStart) throws {
        let (_, template) = try template()
        let (text, ids) = try golden(name)
        #expect(try template.ids(message: message, isFirst: true, start: start) == ids)
        let trimmed = message.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(template.text([.init(message: trimmed)], start: start).utf8.elementsEqual(text.utf8))
    }

    @Test func theOtherAssistantsConversationReadsAsInTheReference() throws {
        let tokens = VocabularyFolder.small.map { ["[MMGPT]": "[AnyGPT]", "<eos>": "<eom>"][$0] ?? $0 }
        let folder = try VocabularyFolder(tokens)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        let template = PromptTemplate(tokenizer: tokenizer, vocabulary: try ModalityVocabulary(tokenizer))
        let turns = [PromptTemplate.Turn(message: "Hello!", answer: "Hi!"), .init(message: "How are you?")]
        #expect(template.text(turns) == (try golden("chat AnyGPT template")).text)
    }

    /// Turn by turn as a cache is filled: each prompt follows the ids that the last answer left, and the whole is what
    /// the whole conversation's text encodes to.
    @Test(arguments: ["a", "b", "c", "d"])
    func laterTurnsFollowWhatIsInTheCache(variant: String) throws {
        let folder = try VariantFolder(variant)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        let vocabulary = try ModalityVocabulary(tokenizer)
        let template = PromptTemplate(tokenizer: tokenizer, vocabulary: vocabulary)
        let codes: [[Int32]] = [[1, 1, 5, 1023], [9, 9, 8], [700]]
        let answers = [
            "<-Ins-> hello, how are you\n <-Res-> I am fine, thank you \(template.text(of: [2, 2], .speech)) ",
            "\(template.text(of: [77, 3], .speech))", "The quiet river.",
        ]
        var cache: [Int32] = []
        var turns: [PromptTemplate.Turn] = []
        for (index, answer) in answers.enumerated() {
            cache += try template.spokenTurnOpening(isFirst: index == 0)
            cache += codes[index].map(vocabulary.speech.id(ofCode:))
            cache += try template.spokenTurnClosing()
            let message = PromptTask.voiceChat.message(template.text(of: codes[index], .speech))
            turns.append(.init(message: message))
            #expect(cache == (try tokenizer.encode(template.text(turns))), "prompt \(index)")
            turns[index].answer = answer
            let whole = try tokenizer.encode(template.text(turns))
            // What the model is taken to have generated: the rest of the whole.
            #expect(whole.starts(with: cache), "answer \(index)")
            cache = whole
            #expect(cache.last == vocabulary.endOfAnswer)
        }
        cache += try template.ids(message: "And now?", isFirst: false, start: .text("Well,"))
        turns.append(.init(message: "And now?"))
        #expect(cache == (try tokenizer.encode(template.text(turns, start: .text("Well,")))))
    }

    @Test func requestsAreThoseOfTheReference() {
        #expect(PromptTask.textChat.message("Hello") == "Hello")
        #expect(PromptTask.drawImage.message("a cat") == "a cat. Please generation an image.")
        #expect(PromptTask.drawImage.message("a cat!") == "a cat! Please generation an image.")
        #expect(PromptTask.readAloud.message("One.") == "One. Please read the given text.")
        #expect(PromptTask(rawValue: "Speech-Instruction") == .voiceChat)
    }
}

/// The golden tokenizer in one of its variants.
final class VariantFolder {
    let url: URL

    init(_ variant: String) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "variant-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for name in ["tokenizer.model", "added_tokens.json", "special_tokens_map.json"] {
            try FileManager.default.copyItem(at: Golden.file("llama-hf", name), to: url.appending(path: name))
        }
        let source =
            switch variant {
            case "a": Golden.file("llama-hf", "tokenizer_config.json")
            case "c": Golden.file("llama-hf", "tokenizer-variants/c.tokenizer_config.json")
            default: Golden.file("llama-hf", "tokenizer-variants/b.tokenizer_config.json")
            }
        var text = try String(contentsOf: source, encoding: .utf8)
        if variant == "d" { text.replace("\"legacy\":true", with: "\"legacy\":false") }
        try Data(text.utf8).write(to: url.appending(path: "tokenizer_config.json"))
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}
