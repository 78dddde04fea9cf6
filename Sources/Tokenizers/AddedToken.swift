/// A token that is cut out of a text as a whole, before SentencePiece sees the rest.
public struct AddedToken: Sendable {
    /// Its id.
    public internal(set) var id: Int32
    /// Its string. Compare by `utf8` or `unicodeScalars`: `==` on `String` takes canonically equivalent ones for equal.
    public var content: String { String(decoding: bytes, as: UTF8.self) }
    /// Whether white space before it is dropped from the text.
    public internal(set) var stripsLeft = false
    /// Whether white space after it is dropped from the text.
    public internal(set) var stripsRight = false
    /// Whether it is one of the tokenizer's special tokens (`<s>`, `</s>`, `<unk>`, …), which decoding can skip.
    public internal(set) var isSpecial = false

    /// Its string in UTF-8.
    let bytes: [UInt8]
    /// Whether it only counts as the token when no text touches it.
    var isSingleWord = false
    /// Whether it comes from the list of additional special tokens: decoding separates those from the text around them.
    var isAdditional = false

    init(id: Int32 = -1, bytes: [UInt8]) {
        self.id = id
        self.bytes = bytes
    }
}

extension AddedToken {
    /// A token as the files write it: `{"content": "<s>", "lstrip": false, …}`, nil when the value is not of that form.
    init?(_ value: JSONValue, id: Int32 = -1) {
        guard case .object(let members) = value, case .string(let content)? = members["content"], !content.isEmpty
        else {
            return nil
        }
        self.init(id: id, bytes: content)
        guard let left = Self.flag(members["lstrip"]), let right = Self.flag(members["rstrip"]),
            let single = Self.flag(members["single_word"])
        else { return nil }
        stripsLeft = left
        stripsRight = right
        isSingleWord = single
    }

    private static func flag(_ value: JSONValue?) -> Bool? {
        switch value {
        case nil: false
        case .bool(let flag)?: flag
        default: nil
        }
    }
}
