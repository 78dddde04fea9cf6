import Foundation
import TestSupport

@testable import Tokenizers

/// `strings.json` of the golden case: what transformers 4.34.1 makes of texts and ids.
struct GoldenStrings: Decodable {
    struct Decoded: Decodable {
        let keepSpecial: String
        let skipSpecial: String
        let noSpaces: String

        enum CodingKeys: String, CodingKey {
            case keepSpecial = "keep_special"
            case skipSpecial = "skip_special"
            case noSpaces = "no_spaces_between_added"
        }
    }

    struct Text: Decodable {
        let name: String
        let text: String
        let ids: [Int32]
        let decoded: Decoded
        let variantIDs: [String: [Int32]]

        enum CodingKeys: String, CodingKey {
            case name, text, ids, decoded
            case variantIDs = "variant_ids"
        }
    }

    struct IDs: Decodable {
        let ids: [Int32]
        let decoded: Decoded
        let variantC: Decoded?

        enum CodingKeys: String, CodingKey {
            case ids, decoded
            case variantC = "variant_c_decoded"
        }
    }

    let tokenize: [Text]
    let decodeOnly: [IDs]

    enum CodingKeys: String, CodingKey {
        case tokenize
        case decodeOnly = "decode_only"
    }

    /// The case's own strings, or others that the same tokenizer of the reference was asked about.
    static func load(_ file: String = "strings.json") throws -> GoldenStrings {
        try JSONDecoder().decode(Self.self, from: Data(contentsOf: Golden.file("llama-hf", file)))
    }
}

/// A model folder for one test, made from the golden one and removed with this object.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// A copy of the golden case's tokenizer files.
    convenience init(copying names: [String]) throws {
        try self.init()
        for name in names {
            try FileManager.default.copyItem(at: Golden.file("llama-hf", name), to: url.appending(path: name))
        }
    }

    static let tokenizerFiles = [
        "tokenizer.model", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json",
    ]

    func write(_ name: String, _ data: Data) throws {
        try data.write(to: url.appending(path: name))
    }

    func write(_ name: String, _ text: String) throws {
        try write(name, Data(text.utf8))
    }
}

/// The tokenizer of one of the golden case's variants, loaded from a folder of that form.
func goldenTokenizer(_ variant: String) throws -> LlamaTokenizer {
    if variant == "a" { return try LlamaTokenizer(folder: Golden.folder("llama-hf")) }
    let folder = try TemporaryFolder(copying: TemporaryFolder.tokenizerFiles.dropLast())
    let file = variant == "c" ? "c" : "b"
    var configuration = try String(
        contentsOf: Golden.file("llama-hf", "tokenizer-variants/\(file).tokenizer_config.json"), encoding: .utf8)
    if variant == "d" {
        configuration.replace("\"legacy\":true", with: "\"legacy\":false")
    }
    try folder.write("tokenizer_config.json", configuration)
    return try LlamaTokenizer(folder: folder.url)
}

/// Equality of strings by their bytes: `==` would take canonically equivalent ones for equal.
func identical(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
