import TestSupport
import Testing

@testable import Tokenizers

@Suite struct StreamingDetokenizerTests {
    @Test(arguments: ["a", "c"], [true, false])
    func deltasJoinToTheWholeText(variant: String, spaces: Bool) throws {
        let tokenizer = try goldenTokenizer(variant)
        let seed: UInt64 = 20
        var generator = TestGenerator(seed: seed)
        var detokenizer = StreamingDetokenizer(tokenizer, spacesBetweenSpecialTokens: spaces)
        for round in 0..<4000 {
            let ids = (0..<Int.random(in: 0...12, using: &generator)).map { _ -> Int32 in
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: Int32.random(in: 0..<3, using: &generator)
                case 1..<5: Int32.random(in: 3..<259, using: &generator)  // bytes
                case 5..<8: Int32.random(in: 259..<420, using: &generator)
                default: Int32.random(in: 420..<17840, using: &generator)
                }
            }
            var streamed = ""
            for id in ids { streamed += detokenizer.append(id) }
            streamed += detokenizer.finish()
            let whole = tokenizer.decode(ids, skipSpecialTokens: true, spacesBetweenSpecialTokens: spaces)
            guard identical(streamed, whole) else {
                Issue.record("seed \(seed) round \(round): \(ids) streams as \(streamed), is \(whole)")
                return
            }
        }
    }

    @Test func onlyAnUnfinishedScalarIsHeldBack() throws {
        let tokenizer = try goldenTokenizer("a")
        var detokenizer = StreamingDetokenizer(tokenizer)
        // Byte b has id b + 3: the four bytes of U+1F5E3, then one that cannot go on.
        #expect([243, 162, 154, 166].map { detokenizer.append($0) } == ["", "", "", "\u{1F5E3}"])
        #expect(detokenizer.append(0xE4 + 3) == "")
        #expect(detokenizer.append(0x41 + 3) == "\u{FFFD}A")
        #expect(detokenizer.append(0xE4 + 3) == "")
        #expect(detokenizer.finish() == "\u{FFFD}")
    }

    @Test func wordsComeAtOnce() throws {
        let tokenizer = try goldenTokenizer("a")
        var detokenizer = StreamingDetokenizer(tokenizer)
        let ids = try tokenizer.encode("the old sailor", addBOS: false)
        #expect(ids.map { detokenizer.append($0) }.allSatisfy { !$0.isEmpty })
        #expect(detokenizer.finish() == "")
    }
}
