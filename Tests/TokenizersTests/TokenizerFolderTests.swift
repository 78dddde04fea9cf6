import Foundation
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct TokenizerFolderTests {
    /// The error that loading the folder ends with; records an issue when it loads.
    private func error(_ folder: TemporaryFolder) -> TokenizerError? {
        do throws(TokenizerError) {
            _ = try LlamaTokenizer(folder: folder.url)
            Issue.record("the folder loads")
            return nil
        } catch {
            return error
        }
    }

    private func expectError(
        _ file: String, _ text: String, mentions words: String, location: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try TemporaryFolder(copying: TemporaryFolder.tokenizerFiles)
        try folder.write(file, text)
        let error = error(folder)
        #expect(error?.description.contains(words) == true, "\(String(describing: error))", sourceLocation: location)
        #expect(error?.description.contains("tokeniz") == true, sourceLocation: location)
    }

    @Test func aMissingModelIsNamed() throws {
        let folder = try TemporaryFolder(copying: ["added_tokens.json"])
        let error = error(folder)
        #expect(error?.file?.hasSuffix("tokenizer.model") == true)
        #expect(error?.reason == "no such file")
    }

    @Test func aFolderInPlaceOfAFileIsRefused() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "tokenizer.model"), withIntermediateDirectories: false)
        #expect(error(folder)?.reason == "not a regular file")
    }

    @Test func aModelCutOffAnywhereIsRefused() throws {
        let folder = try TemporaryFolder(copying: ["tokenizer_config.json"])
        let model = try Data(contentsOf: Golden.file("llama-hf", "tokenizer.model"))
        for length in stride(from: 0, to: model.count, by: 37) + [model.count - 1] {
            try folder.write("tokenizer.model", model.prefix(length))
            #expect(error(folder)?.file?.hasSuffix("tokenizer.model") == true, "\(length) bytes")
        }
    }

    @Test func corruptModelsNeverCrash() throws {
        let folder = try TemporaryFolder(copying: ["tokenizer_config.json"])
        let model = try Data(contentsOf: Golden.file("llama-hf", "tokenizer.model"))
        let seed: UInt64 = 7
        var generator = TestGenerator(seed: seed)
        for _ in 0..<400 {
            var corrupt = model
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                corrupt[Int.random(in: 0..<corrupt.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            try folder.write("tokenizer.model", corrupt)
            // Some still are models; those must encode without trouble.
            if let tokenizer = try? LlamaTokenizer(folder: folder.url) {
                _ = try? tokenizer.encode("The quiet river <sosp> \u{4F60}\u{597D}\0 [Human]")
                _ = tokenizer.decode(Array(0..<420), skipSpecialTokens: false)
            }
        }
    }

    @Test func addedTokensThatMakeNoVocabularyAreRefused() throws {
        try expectError("added_tokens.json", "{", mentions: "not JSON at byte 1")
        try expectError("added_tokens.json", "[]", mentions: "not a JSON object")
        try expectError("added_tokens.json", #"{"<a>": 421}"#, mentions: "no token has id 420")
        try expectError("added_tokens.json", #"{"<a>": 420, "<b>": 420}"#, mentions: "has that id")
        try expectError("added_tokens.json", #"{"<a>": 420, "<a>": 421}"#, mentions: "\"<a>\" twice")
        try expectError("added_tokens.json", #"{"<a>": -1}"#, mentions: "no valid token id")
        try expectError("added_tokens.json", #"{"<a>": 420.5}"#, mentions: "no valid token id")
        try expectError("added_tokens.json", #"{"<a>": 99999999999999999999}"#, mentions: "no valid token id")
        try expectError("added_tokens.json", #"{"": 420}"#, mentions: "no valid token id")
        try expectError("added_tokens.json", #"{"<a>": 5}"#, mentions: "tokenizer.model has another piece there")
        try expectError("added_tokens.json", #"{"<s>": 420}"#, mentions: "has id 1 already")
        try expectError("added_tokens.json", #"{"<\ud83d>": 420}"#, mentions: "lone surrogate")
        try expectError("added_tokens.json", #"{"<\udc40\ud83d>": 420}"#, mentions: "lone surrogate")
    }

    @Test func configurationsThatMakeNoSenseAreRefused() throws {
        try expectError("tokenizer_config.json", #"{"legacy": 1}"#, mentions: "legacy is not true or false")
        try expectError("tokenizer_config.json", #"{"bos_token": 1}"#, mentions: "bos_token is not a token")
        try expectError("tokenizer_config.json", #"{"added_tokens_decoder": []}"#, mentions: "not an object")
        try expectError(
            "tokenizer_config.json", #"{"added_tokens_decoder": {"x": {}}}"#, mentions: "\"x\" is not a token id")
        try expectError(
            "tokenizer_config.json", #"{"added_tokens_decoder": {"420": {}}}"#, mentions: "420 is not a token")
        try expectError(
            "tokenizer_config.json",
            #"{"added_tokens_decoder": {"420": {"content": "<a>", "lstrip": "yes"}}}"#, mentions: "420 is not a token")
        try expectError("tokenizer_config.json", #"{"do_lower_case": true}"#, mentions: "not supported")
        try expectError("special_tokens_map.json", #"{"bos_token": null}"#, mentions: "no such token")
        try expectError(
            "special_tokens_map.json", #"{"additional_special_tokens": {}}"#, mentions: "not a list")
        try expectError("tokenizer.json", #"{"added_tokens": [{"id": 1}]}"#, mentions: "an added token that is none")
    }

    @Test func nestingHasALimit() throws {
        let deep = String(repeating: "[", count: 100_000)
        try expectError("tokenizer_config.json", "{\"x\": \(deep)", mentions: "more than 64 levels")
    }
}
