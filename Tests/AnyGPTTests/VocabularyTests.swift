import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

@Suite struct VocabularyTests {
    @Test func theGoldenVocabularyIsFoundByItsStrings() throws {
        let vocabulary = try GoldenModel().vocabulary
        #expect(vocabulary.speech.codes == 8618..<9642)
        #expect([vocabulary.speech.start, vocabulary.speech.end] == [9642, 9643])
        #expect(vocabulary.image?.codes == 424..<8616)
        #expect(vocabulary.music?.codes == 9644..<17836)
        #expect(vocabulary.assistant == .mmgpt)
        #expect(vocabulary.endOfAnswer == 423)
        #expect(vocabulary.endOfText == 2)
        #expect([vocabulary.instruction, vocabulary.response] == [17839, 17838])
        #expect(vocabulary.text.ranges == [3..<420])
        #expect(vocabulary.spaces.contains(353) && vocabulary.spaces.contains(269) && !vocabulary.spaces.contains(262))
        #expect(vocabulary.speech.code(of: 8625) == 7)
        #expect(vocabulary.speech.id(ofCode: 7) == 8625)
        #expect(vocabulary.speech.code(of: 9642) == nil)
    }

    @Test func sizesAreThoseOfTheTokens() throws {
        let vocabulary = try VocabularyFolder(VocabularyFolder.small).vocabulary()
        #expect(vocabulary.speech.codes.count == 8)
        #expect(vocabulary.image?.codes.count == 6)
        #expect(vocabulary.music?.codes.count == 12)
    }

    @Test func theOtherNameIsTakenWhenTheVocabularyHasIt() throws {
        let tokens = VocabularyFolder.small.map { ["[MMGPT]": "[AnyGPT]", "<eos>": "<eom>"][$0] ?? $0 }
        let folder = try VocabularyFolder(tokens)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        let vocabulary = try ModalityVocabulary(tokenizer)
        #expect(vocabulary.assistant == .anygpt)
        #expect(tokenizer.token(of: vocabulary.endOfAnswer) == "<eom>")
    }

    @Test func marksThatAreNoTokensAreLeftOut() throws {
        let speech = VocabularyFolder.codes("\u{1F5E3}\u{FE0F}", 3) + ["<sosp>", "<eosp>", "<eos>"]
        let vocabulary = try VocabularyFolder(speech).vocabulary()
        #expect(vocabulary.image == nil && vocabulary.music == nil)
        #expect(vocabulary.instruction == nil && vocabulary.response == nil)
    }

    private func expectError(
        _ tokens: [String], _ reason: String, location: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try VocabularyFolder(tokens)
        #expect(throws: VocabularyError(reason), sourceLocation: location) { try folder.vocabulary() }
    }

    @Test func vocabulariesWithHolesAreRefusedByName() throws {
        let small = VocabularyFolder.small
        let sign = "\u{1F5E3}\u{FE0F}"
        try expectError(small.filter { $0 != "<\(sign)3>" }, "<\(sign)3> is missing")
        try expectError(small.filter { $0 != "<\(sign)0>" }, "<\(sign)0> is missing")
        try expectError(small.filter { $0 != "<eosp>" }, "<\(sign)0> is a token but <eosp> is not")
        try expectError(small.filter { $0 != "<eos>" }, "<eos>, which ends an answer, is no added token")
        try expectError(
            small.filter { !$0.hasPrefix("<\u{1F440}") }, "<soim> is a token but <\u{1F440}0> is not")
        try expectError(["<eos>"], "no speech codes: <\(sign)0> is no added token")
        try expectError(
            small.filter { $0 != "<\u{1F3B6}11>" }, "11 music codes do not divide into 4 levels")
        var swapped = small
        let place = try #require(small.firstIndex(of: "<\(sign)5>"))
        swapped.swapAt(place, place + 1)
        try expectError(swapped, "<\(sign)5> has the id \(420 + place + 1), not \(420 + place) behind its neighbour")
    }
}
