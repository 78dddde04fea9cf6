import Foundation

/// The token ids of the empty prompt, which is all that unCLIP reads: start, end, and padding up to the length.
///
/// Three files of a `CLIPTokenizer`'s folder tell them: `vocab.json` the ids, `special_tokens_map.json` which tokens they
/// are (before `tokenizer_config.json`, which in the official folder names another padding), and
/// `tokenizer_config.json` the length.
struct EmptyPrompt: Sendable, Equatable {
    let ids: [Int]

    /// The largest vocabulary that is read.
    private static let mostBytes = 32 << 20

    /// Reads a tokenizer's folder, for an encoder with so many positions.
    init(folder: URL, positions: Int) throws(UnCLIPError) {
        let settings = folder.appending(path: "tokenizer_config.json")
        let config = try Settings.object(settings)
        var special: [String: Setting] = [:]
        let map = folder.appending(path: "special_tokens_map.json")
        if FileManager.default.fileExists(atPath: map.path) { special = try Settings.object(map) }
        let vocabulary = folder.appending(path: "vocab.json")
        var words = try Settings.object(vocabulary, mostBytes: Self.mostBytes)
        let added = folder.appending(path: "added_tokens.json")
        if FileManager.default.fileExists(atPath: added.path) {
            words.merge(try Settings.object(added)) { _, new in new }
        }
        func id(_ role: String, default standard: String) throws(UnCLIPError) -> Int {
            let token = Self.content(special[role]) ?? Self.content(config[role]) ?? standard
            guard let id = words[token]?.integer, id >= 0 else {
                throw UnCLIPError("load", vocabulary.path, "the \(role) \"\(token.prefix(80))\" is not in it")
            }
            return id
        }
        // The length of models that name none is the encoder's.
        var length = positions
        if let limit = config["model_max_length"], limit != .null {
            guard case .number(let number) = limit, number >= 2 else {
                throw UnCLIPError("load", settings.path, "model_max_length is \(limit)")
            }
            length = Int(min(number, Double(positions)))
        }
        let (start, end) = (
            try id("bos_token", default: "<|startoftext|>"), try id("eos_token", default: "<|endoftext|>")
        )
        let padding = try id("pad_token", default: "<|endoftext|>")
        ids = [start, end] + Array(repeating: padding, count: length - 2)
    }

    /// A token as a text, or as an object that says more of it.
    private static func content(_ setting: Setting?) -> String? {
        if case .object(let object)? = setting { return object["content"]?.text }
        return setting?.text
    }
}
