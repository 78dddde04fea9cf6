import Foundation

/// LLaMA's tokenizer with added tokens, as `LlamaTokenizer` (the slow class) of transformers 4.34.1 has it, which
/// AnyGPT was released with: text is cut along the added tokens, each piece of text between them is encoded by
/// SentencePiece on its own, with a space in front (`legacy`) or without.
///
/// Strings are compared by their bytes throughout. The speech codes' U+1F5E3 U+FE0F is not U+1F5E3.
public final class LlamaTokenizer: Sendable {
    /// The id of the token that begins a text, nil when the folder names none.
    public let bosID: Int32?
    /// The id of the token that ends a text, nil when the folder names none.
    public let eosID: Int32?
    /// The id of the token for what cannot be encoded, nil when the folder names none.
    public let unkID: Int32?
    /// How many tokens there are: ids run from 0 to this, exclusive.
    public var count: Int { vocabulary.strings.count }
    /// The added tokens, special ones among them, ascending by id.
    public var addedTokens: [AddedToken] { vocabulary.addedTokens }

    let isLegacy: Bool
    let model: SentencePieceModel
    let vocabulary: TokenVocabulary

    private let prefix: [Int32]
    private let suffix: [Int32]
    /// With `legacy` false: what text with a leading space is encoded behind, and how many pieces that is.
    private let guardText: String
    private let guardCount: Int

    /// Loads `tokenizer.model` and what stands beside it: `tokenizer_config.json`, `special_tokens_map.json`,
    /// `added_tokens.json`, `tokenizer.json`; the last four may be missing.
    ///
    /// - Throws: an error with the file and the reason when a file is missing, cut off, not what its name says, or
    ///   when the ids do not make one gapless vocabulary.
    public init(folder url: URL) throws(TokenizerError) {
        let folder = try TokenizerFolder(url)
        isLegacy = folder.isLegacy
        model = try SentencePieceModel(
            folder.model, file: folder.path("tokenizer.model"), dummyPrefix: folder.isLegacy)
        vocabulary = try TokenVocabulary(folder, pieces: model.table.pieces)
        let vocabulary = vocabulary
        func id(_ role: String) -> Int32? {
            folder.specialTokens[role].flatMap { vocabulary.id(of: $0.bytes) }
        }
        bosID = id("bos_token")
        eosID = id("eos_token")
        unkID = id("unk_token")
        guard !folder.addsBOS || bosID != nil, !folder.addsEOS || eosID != nil else {
            throw TokenizerError(
                file: folder.path("tokenizer_config.json"),
                reason: "add_bos_token or add_eos_token is true but there is no such token")
        }
        prefix = folder.addsBOS ? [bosID].compactMap { $0 } : []
        suffix = folder.addsEOS ? [eosID].compactMap { $0 } : []
        guardText = folder.specialTokens["unk_token"]?.content ?? ""
        guardCount = folder.isLegacy ? 0 : try model.encode(guardText).count
    }

    /// The id of a token, nil when there is no such token.
    public func id(ofToken token: String) -> Int32? {
        vocabulary.id(of: token.utf8)
    }

    /// The string of a token (SentencePiece's pieces write U+2581 for a space), nil when there is no such id.
    public func token(of id: Int32) -> String? {
        vocabulary.strings.indices.contains(Int(id))
            ? String(decoding: vocabulary.strings[Int(id)], as: UTF8.self) : nil
    }

    /// The ids of a text.
    ///
    /// - Parameter addBOS: whether `<s>` is put in front (and `</s>` behind) where the folder's configuration asks for
    ///   it (`add_bos_token`, `add_eos_token`).
    /// - Throws: an error when libsentencepiece gives up, which it does not do for an intact model.
    public func encode(_ text: String, addBOS: Bool = true) throws(TokenizerError) -> [Int32] {
        var ids = addBOS ? prefix : []
        if isLegacy || text.isEmpty {
            try encode(parts(of: Array(text.unicodeScalars)), into: &ids)
        } else {
            var parts = parts(of: [Self.space] + text.unicodeScalars.map { $0 == Self.space ? " " : $0 })
            if try beginsWithNeedlessSpace(parts) { parts.removeFirst() }
            try encode(parts, into: &ids)
        }
        return addBOS ? ids + suffix : ids
    }

    /// Whether the space that was put in front of a text stands alone before a special token, which has none. An
    /// unknown piece is no special token, though it has the same id.
    private func beginsWithNeedlessSpace(_ parts: [[Unicode.Scalar]]) throws(TokenizerError) -> Bool {
        guard parts.count > 1, vocabulary.trie.id(of: parts[0]) == nil,
            let next = vocabulary.trie.id(of: parts[1]), vocabulary.isSpecial[Int(next)]
        else { return false }
        var ids: [Int32] = []
        try encodePlain(parts[0], into: &ids)
        return ids.count == 1 && vocabulary.strings[Int(ids[0])].elementsEqual("\u{2581}".utf8)
    }

    /// The ids of a text that goes on behind an added token: what `encode` of that token and the text together has
    /// behind the token.
    ///
    /// A text cut behind added tokens and encoded in these parts gives the ids of the whole.
    ///
    /// - Throws: as `encode(_:addBOS:)`.
    public func encode(_ text: String, after token: Int32) throws(TokenizerError) -> [Int32] {
        precondition(addedToken(token) != nil, "text can only be cut behind an added token")
        var ids: [Int32] = []
        let text = text.unicodeScalars.map { !isLegacy && $0 == Self.space ? " " : $0 }
        let string = String(decoding: vocabulary.strings[Int(token)], as: UTF8.self)
        try encode(parts(of: string.unicodeScalars + text), into: &ids)
        return Array(ids.dropFirst())
    }

    private static let space: Unicode.Scalar = "\u{2581}"

    private func encode(_ parts: [[Unicode.Scalar]], into ids: inout [Int32]) throws(TokenizerError) {
        for part in parts {
            if let id = vocabulary.trie.id(of: part) {
                ids.append(id)
            } else {
                try encodePlain(part, into: &ids)
            }
        }
    }

    /// The text cut along the added tokens, white space that they swallow taken away, without empty parts.
    private func parts(of text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var parts = vocabulary.trie.split(text).map { Array(text[$0]) }
        for index in parts.indices {
            guard let id = vocabulary.trie.id(of: parts[index]), let token = addedToken(id) else { continue }
            // Whether text touches a single word is asked of the text before white space is taken from it.
            let left = index > 0 ? parts[index - 1] : []
            let right = index + 1 < parts.count ? parts[index + 1] : []
            if token.stripsRight, !right.isEmpty { parts[index + 1] = Array(right.drop(while: isPythonSpace)) }
            if token.stripsLeft, !left.isEmpty {
                while let last = parts[index - 1].last, isPythonSpace(last) { parts[index - 1].removeLast() }
            }
            guard token.isSingleWord else { continue }
            if let last = left.last, last != " " {
                parts[index - 1] += parts[index]
                parts[index] = []
            } else if let first = right.first, first != " " {
                parts[index + 1] = parts[index] + parts[index + 1]
                parts[index] = []
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    private func encodePlain(_ text: [Unicode.Scalar], into ids: inout [Int32]) throws(TokenizerError) {
        var string = String.UnicodeScalarView()
        string.append(contentsOf: text)
        if isLegacy || (text[0] != Self.space && text[0] != " ") {
            ids += try model.encode(String(string))
        } else {
            // Without its dummy prefix SentencePiece drops a leading space: encode behind another token, drop that.
            let pieces = try model.encode(guardText + String(string))
            ids += pieces.count >= guardCount ? pieces[guardCount...] : pieces[...]
        }
    }

    private func addedToken(_ id: Int32) -> AddedToken? {
        var low = 0
        var high = addedTokens.count
        while low < high {
            let middle = (low + high) / 2
            if addedTokens[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < addedTokens.count && addedTokens[low].id == id ? addedTokens[low] : nil
    }
}

/// Whether Python's `str.strip` takes the scalar for white space.
private func isPythonSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
}
