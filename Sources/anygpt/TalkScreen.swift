import Client
import Foundation
import Parity
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
    private let showsReplies: Bool

    /// A screen; a quiet one shows nothing.
    init(isQuiet: Bool, showsReplies: Bool = true) {
        self.isQuiet = isQuiet
        self.showsReplies = showsReplies
        let (width, isBold) = (Terminal.isOutput ? Terminal.width ?? 80 : nil, Terminal.isColored)
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
            case .turnEnded, .sound, .artifact: return ""
            case .heard(let piece): return state.heard.add(piece)
            case .said where !showsReplies: return ""
            case .said(let piece): return state.heard.end() + state.said.add(piece)
            case .done(let turn):
                return state.heard.end() + state.said.end() + Self.ending(turn)
            }
        }
        write(text)
    }

    /// Ends the lines that were begun, when no more will come.
    func end() { write(state.withLock { $0.heard.end() + $0.said.end() }) }

    /// A line of its own.
    func say(_ line: String) { write(state.withLock { $0.heard.end() + $0.said.end() } + line + "\n") }

    private static func ending(_ turn: TurnReport) -> String {
        let table = "\n" + TimingTable.text(turn) + "\n\n"
        let reason = turn.reason.map { ": " + ReportTable.harmless($0) } ?? ""
        return switch turn.status {
        case .completed: table
        case _ where turn.isInterrupted: "       (interrupted: the speech went on)\n" + table
        case let status?: "       (the response was \(status.rawValue)\(reason))\n" + table
        case nil: table
        }
    }

    private func write(_ text: String) {
        guard !isQuiet, !text.isEmpty else { return }
        Terminal.write(text)
    }
}
