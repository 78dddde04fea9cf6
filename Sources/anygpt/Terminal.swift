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

    /// Writes a line to standard output.
    static func say(_ line: String = "") { write(line + "\n") }

    /// Writes to standard output as it is.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func complain(_ line: String) { writeError(line + "\n") }

    /// Writes to standard error as it is.
    static func writeError(_ text: String) { write(text, to: STDERR_FILENO) }

    /// All that the tool says goes through here. Where nobody reads any more (`anygpt talk | head`) there is nothing left to
    /// do: the command ends as the shell's own do, by SIGPIPE, which libraries that talk to sockets have set aside.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                bytes = bytes.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: break
            case EAGAIN:
                // The other end, which shares the descriptor's mode, has asked not to be waited for.
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&room, 1, -1)
            case EPIPE:
                Keyboard.restore()
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
                exit(128 + SIGPIPE)
            case let code:
                if descriptor == STDOUT_FILENO {
                    complain("anygpt: standard output: \(String(cString: strerror(code)))")
                }
                exit(1)
            }
        }
    }
}
