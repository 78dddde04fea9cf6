import Foundation
import Parity

/// What the tool is connected to.
enum Terminal {
    /// Whether standard error is a terminal.
    static let isError = isatty(STDERR_FILENO) == 1

    /// Whether standard output is a terminal.
    static let isOutput = isatty(STDOUT_FILENO) == 1

    /// The columns of the terminal that standard output is; nil when it is none, or does not say.
    static var width: Int? {
        var size = winsize()
        guard isOutput, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Whether colours and bold type may be used on standard output (https://no-color.org).
    static var isColored: Bool {
        isOutput && ProcessInfo.processInfo.environment["NO_COLOR"].map { $0.isEmpty } ?? true
    }

    /// A table for standard output: as wide as the terminal and coloured, when it is one.
    static var table: ReportTable {
        isOutput ? ReportTable(width: width, isColored: isColored) : ReportTable()
    }

    /// Writes a line to standard error.
    static func complain(_ line: String) { writeError(line + "\n") }

    /// Writes to standard error as it is.
    static func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
