import Client
import Foundation
import Synchronization
import Wire

/// What `anygpt talk` shows while a turn goes on: transcript and reply as they come, then the table of times. Plain text
/// when standard output is not a terminal.
final class TalkScreen: Sendable {
    private struct State {
        var heard: LiveText
        var said: LiveText
    }

    private let state: Mutex<State>
    private let isQuiet: Bool

    /// A screen; a quiet one shows nothing.
    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let width = isTerminal ? Self.terminalWidth : nil
        // https://no-color.org
        let isPlain = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        let isBold = isTerminal && !isPlain
        state = Mutex(
            State(
                heard: LiveText(label: "you    ", width: width, isBold: isBold),
                said: LiveText(label: "reply  ", width: width, isBold: isBold)))
    }

    /// Says what is being spoken.
    func begin(_ source: String) { write("\(source)\n") }

    /// Shows what came.
    func show(_ update: TurnLedger.Update) {
        let text = state.withLock { state -> String in
            switch update {
            case .turnEnded, .sound: return ""
            case .heard(let piece): return state.heard.add(piece)
            case .said(let piece): return state.heard.end() + state.said.add(piece)
            case .artifact(let artifact):
                return state.heard.end() + state.said.end()
                    + "\(artifact.type.rawValue)  ".prefix(7) + Self.harmless(artifact.url) + "\n"
            case .done(let turn):
                return state.heard.end() + state.said.end() + Self.ending(turn)
            }
        }
        write(text)
    }

    /// Ends the lines that were begun, when no more will come.
    func end() { write(state.withLock { $0.heard.end() + $0.said.end() }) }

    /// A last line.
    func say(_ line: String) { write(line + "\n") }

    private static func ending(_ turn: TurnReport) -> String {
        let table = "\n" + TimingTable.text(turn) + "\n\n"
        let reason = turn.reason.map { ": " + harmless($0) } ?? ""
        return switch turn.status {
        case .completed: table
        case _ where turn.isInterrupted: "       (interrupted: the speech went on)\n" + table
        case let status?: "       (the response was \(status.rawValue)\(reason))\n" + table
        case nil: table
        }
    }

    /// What the server sent, without anything that could move the cursor.
    private static func harmless(_ text: String) -> String {
        String(text.prefix(500).filter { $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } })
    }

    private func write(_ text: String) {
        guard !isQuiet, !text.isEmpty else { return }
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    private static var terminalWidth: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
