import Foundation
import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

/// The golden tokenizer and its vocabulary.
struct GoldenModel {
    let tokenizer: LlamaTokenizer
    let vocabulary: ModalityVocabulary

    init() throws {
        tokenizer = try LlamaTokenizer(folder: Golden.folder("llama-hf"))
        vocabulary = try ModalityVocabulary(tokenizer)
    }

    /// The ids of a text as the model would generate it: no `<s>`, and behind the assistant's name.
    func answer(_ text: String) throws -> [Int32] {
        let name = try #require(tokenizer.id(ofToken: "[MMGPT]"))
        let colon = try tokenizer.encode(":", after: name)
        return Array(try tokenizer.encode(":" + text, after: name).dropFirst(colon.count))
    }
}

/// A tokenizer folder with the golden model's pieces and the added tokens of a test's choice.
final class VocabularyFolder {
    let url: URL

    init(_ tokens: [String], ids: [Int]? = nil) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "vocabulary-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Golden.file("llama-hf", "tokenizer.model"), to: url.appending(path: "tokenizer.model"))
        let members = tokens.enumerated().map { index, token in "\"\(token)\": \(ids?[index] ?? 420 + index)" }
        try Data("{\(members.joined(separator: ", "))}".utf8).write(to: url.appending(path: "added_tokens.json"))
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func vocabulary(musicLevels: Int = 4) throws -> ModalityVocabulary {
        try ModalityVocabulary(LlamaTokenizer(folder: url), musicLevels: musicLevels)
    }

    static func codes(_ prefix: String, _ count: Int) -> [String] {
        (0..<count).map { "<\(prefix)\($0)>" }
    }

    /// A small vocabulary with all modalities: 8 speech, 6 image and 12 music codes.
    static let small =
        ["[Human]", "[MMGPT]", "<eoh>", "<eos>"] + codes("\u{1F440}", 6) + ["<soim>", "<eoim>"]
        + codes("\u{1F5E3}\u{FE0F}", 8) + ["<sosp>", "<eosp>"] + codes("\u{1F3B6}", 12) + ["<somu>", "<eomu>"]
        + ["<-Res->", "<-Ins->"]
}

/// Tensors of a safetensors file of the golden cases: float32 and int32 only.
struct GoldenTensors {
    private let header: [String: Any]
    private let data: Data

    init(_ url: URL) throws {
        let file = try Data(contentsOf: url)
        let length = Int(file.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let parsed = try JSONSerialization.jsonObject(with: file[8..<(8 + length)])
        header = try #require(parsed as? [String: Any])
        data = file[(8 + length)...]
    }

    func rows<Element: BitwiseCopyable>(_ name: String, of type: Element.Type) throws -> [[Element]] {
        let entry = try #require(header[name] as? [String: Any])
        let expected = type == Float.self ? "F32" : "I32"
        #expect(entry["dtype"] as? String == expected)
        let shape = try #require(entry["shape"] as? [Int])
        let offsets = try #require(entry["data_offsets"] as? [Int])
        let bytes = [UInt8](data.dropFirst(offsets[0]).prefix(offsets[1] - offsets[0]))
        let values = bytes.withUnsafeBytes { raw in
            (0..<(raw.count / 4)).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: type) }
        }
        let width = shape.count > 1 ? shape[1] : 1
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }
}
