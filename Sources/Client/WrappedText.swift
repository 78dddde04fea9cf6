/// Text that comes in pieces, under a label, cut into lines between words: those that are complete and will not change,
/// and the one that is still growing. For a terminal whose last lines are drawn anew all the time.
///
/// What comes from the network cannot move the cursor or do anything else but be read.
public struct WrappedText: Sendable {
    private let label: String
    private let width: Int
    private var line = ""
    private var word = ""

    /// - Parameters:
    ///   - label: stands before the text; further lines are indented by it.
    ///   - width: columns of a line, at least a few more than the label has.
    public init(label: String, width: Int) {
        self.label = label
        self.width = max(width, label.count + 8)
    }

    /// The line that is growing; nil when there is no text.
    public var growing: String? {
        guard !line.isEmpty || !word.isEmpty else { return nil }
        return joined
    }

    /// Takes the next piece; returns the lines that it completes.
    public mutating func add(_ piece: String) -> [String] {
        var complete: [String] = []
        for character in piece {
            if character.isWhitespace {
                endWord()
            } else if character.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) {
                word.append(character)
                if joined.count > width { complete.append(breakLine()) }
            }
        }
        return complete
    }

    /// Ends the text; returns its last line, when there is any text.
    public mutating func end() -> [String] {
        defer { (line, word) = ("", "") }
        return growing.map { [$0] } ?? []
    }

    private var indent: String { String(repeating: " ", count: label.count) }

    private var joined: String {
        if line.isEmpty { return label + word }
        return word.isEmpty ? line : (line == indent ? line + word : line + " " + word)
    }

    private mutating func endWord() {
        guard !word.isEmpty else { return }
        line = joined
        word = ""
    }

    /// Cuts before the word, or inside of one that fills its line.
    private mutating func breakLine() -> String {
        if line.isEmpty || line == indent {
            let whole = joined.dropLast()
            word = String(word.suffix(1))
            line = indent
            return String(whole)
        }
        defer { line = indent }
        return line
    }
}
