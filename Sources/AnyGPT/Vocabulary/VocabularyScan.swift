import Tokenizers

/// Finds the blocks of a vocabulary among the tokenizer's added tokens.
struct VocabularyScan {
    private let tokenizer: LlamaTokenizer
    private let added: [(bytes: [UInt8], id: Int32)]

    init(_ tokenizer: LlamaTokenizer) {
        self.tokenizer = tokenizer
        added = tokenizer.addedTokens.map { (Array($0.content.utf8), $0.id) }
    }

    /// The id of an added token, nil when there is none: a mark that is only a run of pieces is plain text.
    func id(_ token: String) -> Int32? {
        let bytes = Array(token.utf8)
        return added.first { $0.bytes == bytes }?.id
    }

    /// Every id that no added token has.
    var text: TokenSet {
        var ranges: [Range<Int32>] = []
        var start: Int32 = 0
        for (_, id) in added {
            if id > start { ranges.append(start..<id) }
            start = id + 1
        }
        if start < tokenizer.count { ranges.append(start..<Int32(tokenizer.count)) }
        return TokenSet(ranges)
    }

    /// The block of a modality whose codes are written with one of `prefixes`; nil when no token of it is there.
    func block(_ modality: Modality, _ prefixes: [String]) throws(VocabularyError) -> ModalityVocabulary.Block? {
        let marks =
            switch modality {
            case .speech: ("<sosp>", "<eosp>")
            case .image: ("<soim>", "<eoim>")
            case .music: ("<somu>", "<eomu>")
            case .text: preconditionFailure("text has no codes")
            }
        let found = prefixes.map { (prefix: $0, codes: codes(prefix: $0)) }.filter { !$0.codes.isEmpty }
        guard let (prefix, codes) = found.first else {
            if let mark = [marks.0, marks.1].first(where: { id($0) != nil }) {
                throw VocabularyError("\(mark) is a token but <\(prefixes[0])0> is not")
            }
            return nil
        }
        if found.count > 1 {
            throw VocabularyError("\(modality.rawValue) codes are written both <\(prefix)0> and <\(found[1].prefix)0>")
        }
        guard let start = id(marks.0), let end = id(marks.1) else {
            throw VocabularyError("<\(prefix)0> is a token but \(id(marks.0) == nil ? marks.0 : marks.1) is not")
        }
        return ModalityVocabulary.Block(codes: try range(of: codes, prefix: prefix), start: start, end: end)
    }

    /// The codes written `<PREFIX7>`, as (code, id).
    private func codes(prefix: String) -> [(code: Int32, id: Int32)] {
        let head = Array("<\(prefix)".utf8)
        return added.compactMap { bytes, id in
            guard bytes.count > head.count + 1, bytes.last == UInt8(ascii: ">"), bytes.starts(with: head) else {
                return nil
            }
            let digits = bytes[head.count..<(bytes.count - 1)]
            let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard isNumber, digits.count == 1 || digits.first != UInt8(ascii: "0"),
                let code = Int32(String(decoding: digits, as: UTF8.self))
            else { return nil }
            return (code, id)
        }
    }

    private func range(of codes: [(code: Int32, id: Int32)], prefix: String) throws(VocabularyError) -> Range<Int32> {
        let sorted = codes.sorted { $0.code < $1.code }
        let first = sorted[0].id
        for (index, entry) in sorted.enumerated() {
            let expected = Int32(index)
            guard entry.code == expected else { throw VocabularyError("<\(prefix)\(expected)> is missing") }
            guard entry.id == first + expected else {
                throw VocabularyError(
                    "<\(prefix)\(entry.code)> has the id \(entry.id), not \(first + expected) behind its neighbour")
            }
        }
        return first..<(first + Int32(sorted.count))
    }
}
