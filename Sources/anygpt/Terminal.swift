import Foundation
import Parity

/// What the tool is connected to.
enum Terminal {
    /// Whether standard error is a terminal.
    static let isError = isatty(STDERR_FILENO) == 1

    /// A table for standard output: as wide as the terminal and coloured, when it is one.
    static var table: ReportTable {
        guard isatty(STDOUT_FILENO) == 1 else { return ReportTable() }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        // https://no-color.org
        let isPlain = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return ReportTable(width: isKnown ? Int(size.ws_col) : nil, isColored: !isPlain)
    }

    /// Writes a line to standard error.
    static func complain(_ line: String) { writeError(line + "\n") }

    /// Writes to standard error as it is.
    static func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
