import Foundation
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct LlamaTokenizerTests {
    /// The random strings mix scripts, emoji, cut and whole modality tokens, white space of every kind and control
    /// characters.
    static let files = ["strings.json", "random-strings.json"]

    @Test(arguments: ["a", "b", "c", "d"], files)
    func textsEncodeAsInTheReference(variant: String, file: String) throws {
        let tokenizer = try goldenTokenizer(variant)
        for text in try GoldenStrings.load(file).tokenize {
            let expected = text.variantIDs[variant] ?? text.ids
            #expect(try tokenizer.encode(text.text) == expected, "\(text.name)")
            #expect(try tokenizer.encode(text.text, addBOS: false) == Array(expected.dropFirst()), "\(text.name)")
        }
    }

    @Test(arguments: files)
    func idsDecodeAsInTheReference(file: String) throws {
        let tokenizer = try goldenTokenizer("a")
        let golden = try GoldenStrings.load(file)
        for (ids, decoded) in golden.tokenize.map({ ($0.ids, $0.decoded) }) {
            expect(tokenizer, ids, decoded)
        }
        for entry in golden.decodeOnly { expect(tokenizer, entry.ids, entry.decoded) }
    }

    @Test(arguments: files)
    func idsDecodeAsInTheReferenceWithoutLegacy(file: String) throws {
        let tokenizer = try goldenTokenizer("c")
        for entry in try GoldenStrings.load(file).decodeOnly {
            expect(tokenizer, entry.ids, entry.variantC ?? entry.decoded)
        }
    }

    private func expect(_ tokenizer: LlamaTokenizer, _ ids: [Int32], _ decoded: GoldenStrings.Decoded) {
        let kept = tokenizer.decode(ids, skipSpecialTokens: false)
        #expect(identical(kept, decoded.keepSpecial), "\(ids): \(kept)")
        let skipped = tokenizer.decode(ids, skipSpecialTokens: true)
        #expect(identical(skipped, decoded.skipSpecial), "\(ids): \(skipped)")
        let joined = tokenizer.decode(ids, skipSpecialTokens: true, spacesBetweenSpecialTokens: false)
        #expect(identical(joined, decoded.noSpaces), "\(ids): \(joined)")
    }

    @Test func tokensAreFoundByTheirBytes() throws {
        let tokenizer = try goldenTokenizer("a")
        #expect(tokenizer.count == 17840)
        #expect(tokenizer.id(ofToken: "<\u{1F5E3}\u{FE0F}7>") == 8625)
        #expect(tokenizer.id(ofToken: "<\u{1F5E3}7>") == nil)
        #expect(tokenizer.token(of: 8625).map { identical($0, "<\u{1F5E3}\u{FE0F}7>") } == true)
        #expect(tokenizer.token(of: 17840) == nil)
        #expect(tokenizer.token(of: -1) == nil)
        #expect([tokenizer.bosID, tokenizer.eosID, tokenizer.unkID] == [1, 2, 0])
        #expect(tokenizer.addedTokens.map(\.id) == [0, 1, 2] + Array(420..<17840))
    }

    @Test func canonicallyEquivalentTokensStayApart() throws {
        let folder = try TemporaryFolder(copying: ["tokenizer.model"])
        try folder.write("added_tokens.json", #"{"<caf\u00e9>": 420, "<cafe\u0301>": 421}"#)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        #expect(try tokenizer.encode("<caf\u{E9}><cafe\u{301}>") == [1, 420, 421])
        #expect(identical(tokenizer.decode([421], skipSpecialTokens: true), "<cafe\u{301}>"))
    }

    @Test func aPaddingTokenWithoutAnIDGetsTheNextOne() throws {
        let folder = try TemporaryFolder(copying: ["tokenizer.model", "added_tokens.json"])
        try folder.write(
            "tokenizer_config.json", #"{"pad_token": "<pad>", "add_bos_token": false, "add_eos_token": true}"#)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        #expect(try tokenizer.encode("<pad>") == [17840, 2])
        #expect(tokenizer.decode([17840, 420], skipSpecialTokens: true) == "[Human]")
    }

    @Test func aFastTokenizersFileOverridesHowAddedTokensStrip() throws {
        let folder = try TemporaryFolder(copying: TemporaryFolder.tokenizerFiles)
        try folder.write(
            "tokenizer.json",
            #"{"added_tokens": [{"id": 9642, "content": "<sosp>", "lstrip": true, "rstrip": true, "single_word": false}]}"#
        )
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        #expect(try tokenizer.encode("text <sosp> text") == [1, 323, 9642, 323])
    }

    @Test func aSingleWordCountsOnlyWhereNoTextTouchesIt() throws {
        let folder = try TemporaryFolder(copying: ["tokenizer.model"])
        try folder.write(
            "tokenizer_config.json",
            #"{"added_tokens_decoder": {"420": {"content": "<a>", "lstrip": true, "single_word": true}}}"#)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        #expect(try tokenizer.encode("the <a> the") == [1, 262, 420, 353, 262])
        #expect(try tokenizer.encode("the<a>") == [1, 262, 63, 356, 65])
        #expect(try tokenizer.encode("<a>the") == [1, 353, 63, 356, 65, 355, 260])
        #expect(try tokenizer.encode("\u{3000}<a>") == [1, 420])
    }

    @Test func idsWithoutATokenDecodeToNothing() throws {
        let tokenizer = try goldenTokenizer("a")
        #expect(tokenizer.decode([260, 17840, -1, .max, 260], skipSpecialTokens: true) == "hehe")
    }

    @Test func aPromptOfThousandsOfCodesEncodesInMilliseconds() throws {
        let tokenizer = try goldenTokenizer("a")
        let codes = (0..<8000).map { Int32(8618 + $0 % 1024) }
        let text = tokenizer.decode(codes, skipSpecialTokens: true, spacesBetweenSpecialTokens: false)
        let clock = ContinuousClock()
        var ids: [Int32] = []
        let time = try clock.measure { ids = try tokenizer.encode(text, addBOS: false) }
        #expect(ids == codes)
        #expect(time < .seconds(2), "debug builds on busy machines included")
    }
}
