/// Text that comes in pieces, under a label, for a terminal or a file.
///
/// On a terminal it is wrapped between words, as far as they are complete; what comes from the network cannot move the
/// cursor or do anything else but be read.
public struct LiveText: Sendable {
    private let label: String
    private let width: Int?
    private let isBold: Bool
    private var column: Int
    /// What came of a word that may go on.
    private var word = ""
    /// The word that was shown last may go on.
    private var isInsideWord = false
    private var isEmpty = true

    /// - Parameters:
    ///   - label: stands before the text; further lines are indented by it.
    ///   - width: columns of the terminal; nil does not wrap.
    ///   - isBold: sets the label off, for a terminal.
    public init(label: String, width: Int?, isBold: Bool = false) {
        self.label = label
        self.isBold = isBold
        self.width = width.map { max($0, label.count + 10) }
        column = label.count
    }

    /// What to print for the next piece of text.
    public mutating func add(_ piece: String) -> String {
        var output = ""
        for character in piece {
            if character.isWhitespace {
                output += flush()
            } else if character.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) {
                word.append(character)
            }
        }
        // A file shows each piece as it comes; what wraps has to wait for the word's end.
        return width == nil ? output + flush(isPartial: true) : output
    }

    /// What to print at the end of the text: its last word and a line end. Nothing when there was no text.
    public mutating func end() -> String {
        let output = flush()
        defer { self = LiveText(label: label, width: width, isBold: isBold) }
        return isEmpty ? output : output + "\n"
    }

    private mutating func flush(isPartial: Bool = false) -> String {
        defer {
            isInsideWord = isPartial && (isInsideWord || !word.isEmpty)
            word = ""
        }
        guard !word.isEmpty else { return "" }
        defer { isEmpty = false }
        if isEmpty {
            column = label.count + word.count
            return (isBold ? "\u{1B}[1m\(label)\u{1B}[0m" : label) + word
        }
        if isInsideWord { return word }
        if let width, column + 1 + word.count > width {
            column = label.count + word.count
            return "\n" + String(repeating: " ", count: label.count) + word
        }
        column += 1 + word.count
        return " " + word
    }
}
