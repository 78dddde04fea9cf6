/// Every token of a tokenizer by id and by string: SentencePiece's pieces, then the added tokens.
struct TokenVocabulary {
    /// How a token is treated in decoding.
    enum Role: UInt8 {
        /// Text of its piece.
        case piece
        /// A special token, which stands within a run of pieces.
        case special
        /// An added token, which ends a run of pieces.
        case added
    }

    /// The string of every token, in UTF-8.
    let strings: [[UInt8]]
    let roles: [Role]
    /// Whether the token is special: every `.special` one, and `.added` ones from the additional special tokens.
    let isSpecial: [Bool]
    /// The added tokens, special ones among them, ascending by id.
    let addedTokens: [AddedToken]
    /// The added tokens by string.
    let trie: TokenTrie

    private let ids: [[UInt8]: Int32]

    init(_ folder: TokenizerFolder, pieces: [PieceTable.Piece]) throws(TokenizerError) {
        let files = "added_tokens.json or tokenizer_config.json"
        var strings = pieces.map(\.text)
        var ids: [[UInt8]: Int32] = [:]
        for (id, string) in strings.enumerated() { ids[string] = Int32(id) }

        var added: [Int32: AddedToken] = [:]
        for token in folder.addedTokens.sorted(by: { $0.id < $1.id }) {
            let name = "added token \"\(token.content)\" with id \(token.id)"
            if let other = added[token.id] {
                throw TokenizerError(file: folder.path(files), reason: "\(name): \"\(other.content)\" has that id")
            }
            if let known = ids[token.bytes], known != token.id {
                throw TokenizerError(file: folder.path(files), reason: "\(name): that string has id \(known) already")
            }
            if token.id < pieces.count, strings[Int(token.id)] != token.bytes {
                throw TokenizerError(
                    file: folder.path(files), reason: "\(name): tokenizer.model has another piece there")
            }
            if token.id >= pieces.count {
                guard token.id == strings.count else {
                    throw TokenizerError(file: folder.path(files), reason: "\(name): no token has id \(strings.count)")
                }
                strings.append(token.bytes)
                ids[token.bytes] = token.id
            }
            added[token.id] = token
        }

        // Special tokens are always added tokens; those that no file gives an id get the next ones.
        let named = TokenizerFolder.roles.compactMap { folder.specialTokens[$0] }
        for var token in named + folder.additionalSpecialTokens {
            token.isSpecial = true
            if let id = ids[token.bytes] {
                token.id = id
            } else {
                token.id = Int32(strings.count)
                strings.append(token.bytes)
                ids[token.bytes] = token.id
            }
            // The first role of a token decides: later ones name the same token.
            if added[token.id]?.isSpecial != true { added[token.id] = token }
        }

        var roles = [Role](repeating: .piece, count: strings.count)
        var isSpecial = [Bool](repeating: false, count: strings.count)
        var trie = TokenTrie()
        for token in added.values {
            let separates = !token.isSpecial || (token.isAdditional && token.id >= pieces.count)
            roles[Int(token.id)] = separates ? .added : .special
            isSpecial[Int(token.id)] = token.isSpecial
            trie.insert(token.content.unicodeScalars, id: token.id)
        }
        self.strings = strings
        self.roles = roles
        self.isSpecial = isSpecial
        self.addedTokens = added.values.sorted { $0.id < $1.id }
        self.trie = trie
        self.ids = ids
    }

    /// The id of a token, by the bytes of its string.
    func id(of string: some Sequence<UInt8>) -> Int32? {
        ids[Array(string)]
    }
}
