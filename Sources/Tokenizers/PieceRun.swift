/// A run of pieces between two added tokens, decoded one piece at a time as `LlamaTokenizer.convert_tokens_to_string`
/// of transformers 4.34.1 decodes the whole: the first piece loses one leading space mark.
struct PieceRun {
    private var decoder = PieceDecoder()
    private var isFirst = true

    /// A run whose first piece has been seen, as it is behind a special token within a run.
    static var continued: PieceRun {
        var run = PieceRun()
        run.isFirst = false
        return run
    }

    /// Appends what is certain after the piece `id`.
    mutating func append(_ id: Int32, of tokenizer: LlamaTokenizer, to output: inout [UInt8]) {
        let text = tokenizer.vocabulary.strings[Int(id)]
        let table = tokenizer.model.table
        defer { isFirst = false }
        if isFirst, text.starts(with: "\u{2581}".utf8) {
            let cut = text.dropFirst(3)
            let known = tokenizer.vocabulary.id(of: cut).flatMap { Int($0) < table.pieces.count ? $0 : nil }
            decoder.append(known, text: cut, of: table, to: &output)
        } else {
            decoder.append(id, text: text[...], of: table, to: &output)
        }
    }

    /// Appends what was held back.
    mutating func finish(to output: inout [UInt8]) {
        decoder.finish(to: &output)
    }
}
