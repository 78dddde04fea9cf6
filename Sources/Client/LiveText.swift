/// Text that comes in pieces, under a label, for a terminal or a file: each piece is shown as it comes.
///
/// On a terminal it is wrapped between words: one that outgrows its line while it is still coming is taken back and begun
/// anew on the next. What comes from the network cannot move the cursor or do anything else but be read.
public struct LiveText: Sendable {
    private let label: String
    private let width: Int?
    private let isBold: Bool
    /// The cursor's column; 0 before anything was shown.
    private var column = 0
    /// The word that is coming, and how much of it has been shown.
    private var word = ""
    private var shown = 0

    /// - Parameters:
    ///   - label: stands before the text; further lines are indented by it.
    ///   - width: columns of the terminal; nil does not wrap.
    ///   - isBold: sets the label off, for a terminal.
    public init(label: String, width: Int?, isBold: Bool = false) {
        self.label = label
        // The last column stays free: a cursor behind it is not where it seems to be.
        self.width = width.map { max($0 - 1, label.count + 10) }
        self.isBold = isBold
    }

    /// What to print for the next piece of text.
    public mutating func add(_ piece: String) -> String {
        var output = ""
        for character in piece {
            if character.isWhitespace {
                output += show()
                (word, shown) = ("", 0)
            } else if character.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) {
                word.append(character)
            }
        }
        return output + show()
    }

    /// What to print at the end of the text: a line end, unless there was no text.
    public mutating func end() -> String {
        defer { (column, word, shown) = (0, "", 0) }
        return column > 0 ? "\n" : ""
    }

    private mutating func show() -> String {
        let rest = word.dropFirst(shown)
        guard !rest.isEmpty else { return "" }
        defer { shown = word.count }
        if column == 0 {
            column = label.count + word.count
            return (isBold ? "\u{1B}[1m\(label)\u{1B}[0m" : label) + word
        }
        let isNewWord = shown == 0
        let addition = isNewWord ? " " + word : String(rest)
        let isAloneOnLine = column - shown <= label.count
        if let width, column + addition.count > width, isNewWord || !isAloneOnLine {
            let takenBack = isNewWord ? "" : "\u{1B}[\(shown)D\u{1B}[K"
            column = label.count + word.count
            return takenBack + "\n" + String(repeating: " ", count: label.count) + word
        }
        column += addition.count
        return addition
    }
}
