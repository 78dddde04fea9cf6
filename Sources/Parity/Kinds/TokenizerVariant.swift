import Foundation
import Tokenizers

/// Another form of a case's tokenizer: with `tokenizer-variants/NAME.tokenizer_config.json` in place of its
/// configuration, or, in `case.json`'s words, "as OTHER with legacy false".
struct TokenizerVariant {
    let name: String
    private let golden: GoldenCase
    private let configuration: Data

    /// The variants of a case that have a name in `named`, or a file.
    static func all(_ golden: GoldenCase, named: Set<String>) throws -> [TokenizerVariant] {
        let ending = ".tokenizer_config.json"
        let folder = golden.file("tokenizer-variants")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let filed = files.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }
        return try named.union(filed).sorted(by: isBefore).map { name in
            TokenizerVariant(name: name, golden: golden, configuration: try configuration(of: name, golden, depth: 0))
        }
    }

    private static func configuration(of name: String, _ golden: GoldenCase, depth: Int) throws -> Data {
        let own = golden.file("tokenizer-variants/\(name).tokenizer_config.json")
        if FileManager.default.fileExists(atPath: own.path) { return try JSON.contents(of: own) }
        let variants = golden.about["tokenizer_variants"]?.members ?? [:]
        guard let words = variants[name]?.text, depth < variants.count,
            let match = words.firstMatch(of: /as (\w+) with legacy (true|false)/)
        else {
            // The main form is described as "a (main)".
            if variants.keys.contains(where: { $0.hasPrefix("\(name) (main") }) {
                return try JSON.contents(of: golden.file("tokenizer_config.json"))
            }
            throw CaseError("find", own.path, "and case.json does not say how to make variant \(name) from another")
        }
        let other = try configuration(of: String(match.1), golden, depth: depth + 1)
        guard var members = try? JSONSerialization.jsonObject(with: other) as? [String: Any] else {
            throw CaseError("read", own.path, "variant \(match.1), which it is made from, is no JSON object")
        }
        members["legacy"] = match.2 == "true"
        return try JSONSerialization.data(withJSONObject: members)
    }

    /// The tokenizer, loaded from a folder of this form.
    func load() throws -> LlamaTokenizer {
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-variant-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for file in ["tokenizer.model", "added_tokens.json", "special_tokens_map.json", "tokenizer.json"]
        where golden.has(file) {
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: file),
                withDestinationURL: golden.file(file).absoluteURL.standardizedFileURL)
        }
        try configuration.write(to: folder.appending(path: "tokenizer_config.json"))
        return try LlamaTokenizer(folder: folder)
    }
}
