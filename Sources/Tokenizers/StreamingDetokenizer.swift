/// Turns ids into text as they come: each call returns the text that no later id can change.
///
/// What it returned altogether, `finish` included, is what `LlamaTokenizer.decode` makes of all the ids with special
/// tokens skipped. Only the bytes of an unfinished scalar are held back.
public struct StreamingDetokenizer: Sendable {
    private let tokenizer: LlamaTokenizer
    private let separatesParts: Bool
    private var run = PieceRun()
    /// Whether pieces came since the last added token, and whether they made any text.
    private var hasPieces = false
    private var hasText = false
    private var hasParts = false
    private var output: [UInt8] = []

    /// Starts an empty text.
    public init(_ tokenizer: LlamaTokenizer, spacesBetweenSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        separatesParts = spacesBetweenSpecialTokens
    }

    /// Takes the next id; returns the text that has become certain, often none.
    public mutating func append(_ id: Int32) -> String {
        let vocabulary = tokenizer.vocabulary
        guard vocabulary.strings.indices.contains(Int(id)), !vocabulary.isSpecial[Int(id)] else { return "" }
        output.removeAll(keepingCapacity: true)
        if vocabulary.roles[Int(id)] == .added {
            run.finish(to: &output)
            beginRunTextIfAny()
            endRun()
            if hasParts, separatesParts { output.append(UInt8(ascii: " ")) }
            output += vocabulary.strings[Int(id)]
            hasParts = true
        } else {
            hasPieces = true
            run.append(id, of: tokenizer, to: &output)
            beginRunTextIfAny()
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Ends the text; returns what was held back. Afterwards it is ready for another text.
    public mutating func finish() -> String {
        output.removeAll(keepingCapacity: true)
        run.finish(to: &output)
        beginRunTextIfAny()
        // A last run without text still is a part, so the separator in front of it stays.
        if hasPieces, !hasText, hasParts, separatesParts { output.append(UInt8(ascii: " ")) }
        endRun()
        hasParts = false
        return String(decoding: output, as: UTF8.self)
    }

    /// Puts the separator before the run's first text, which `output` then begins with.
    private mutating func beginRunTextIfAny() {
        guard !hasText, !output.isEmpty else { return }
        hasText = true
        if hasParts, separatesParts { output.insert(UInt8(ascii: " "), at: 0) }
        hasParts = true
    }

    private mutating func endRun() {
        run = PieceRun()
        hasPieces = false
        hasText = false
    }
}
