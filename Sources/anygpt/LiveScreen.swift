import Client
import Foundation
import Parity
import Synchronization
import Wire

/// What `anygpt talk` shows of a live conversation. On a terminal: lines that stay, and under them one that is drawn anew
/// all the time, with what goes on and how loud the microphone is. Elsewhere: a line for each thing that is complete.
final class LiveScreen: Sendable {
    private struct State {
        var heard: WrappedText
        var said: WrappedText
        var status = ""
        /// Lines of the part that is drawn anew.
        var drawn = 0
        /// The last line that stays is empty.
        var endsEmpty = false
        /// What still comes of a reply that was interrupted is not shown.
        var isInterrupted = false
        var isEnded = false
    }

    private let state: Mutex<State>
    private let isTerminal: Bool
    private let isColored: Bool
    private let showsTimes: Bool

    init(showsTimes: Bool) {
        isTerminal = Terminal.isOutput
        isColored = Terminal.isColored
        self.showsTimes = showsTimes
        // As wide as it is when the conversation begins; the status follows the terminal.
        let width = isTerminal ? (Terminal.width ?? 80) - 1 : 1 << 20
        state = Mutex(
            State(heard: WrappedText(label: "you    ", width: width), said: WrappedText(label: "reply  ", width: width))
        )
        if isTerminal { write("\u{1B}[?25l") }
    }

    /// What became of a turn.
    func show(_ update: LiveConversation.Update) {
        state.withLock { state in
            switch update {
            case .turn(.heard(let piece)):
                state.isInterrupted = false
                put(state.heard.add(piece), &state)
            case .turn(.said(let piece)):
                guard !state.isInterrupted else { return }
                put(state.heard.end() + state.said.add(piece), &state)
            case .turn(.done(let report)):
                let wasInterrupted = state.isInterrupted
                state.isInterrupted = false
                put(close(&state) + ending(report, wasInterrupted: wasInterrupted), &state)
            case .turn(.turnEnded), .turn(.sound), .turn(.artifact): break
            case .interrupted(let time):
                state.isInterrupted = true
                let seconds = String(format: "%.1f s", time / .seconds(1))
                let lines = close(&state)
                // The turn may be done already, and its reply still be heard: then this stands by itself.
                put(lines + remark("interrupted after \(seconds)") + (lines.isEmpty ? [""] : []), &state)
            case .musicStopped(let time):
                let seconds = String(format: "%.1f s", time / .seconds(1))
                put(close(&state) + remark("the music was stopped after \(seconds)") + [""], &state)
            case .notice(let line): put(close(&state) + remark(line), &state)
            }
        }
    }

    /// A line of the program's own, about something that happened.
    func say(_ line: String) {
        state.withLock { state in put(close(&state) + wrapped(line, indent: ""), &state) }
    }

    /// What is what, at the beginning or when it has changed: each line cut to the terminal's width. An empty line follows.
    func introduce(_ parts: [(name: String, value: String)]) {
        let lines = parts.map { name, value in
            let line = name.padding(toLength: 12, withPad: " ", startingAt: 0) + ReportTable.harmless(value)
            guard isTerminal, let width = Terminal.width, line.count >= width, width > 2 else { return line }
            return line.prefix(width - 2) + "…"
        }
        state.withLock { state in put(close(&state) + lines + [""], &state) }
    }

    /// A line as long as the terminal allows, and the rest of it under that.
    private func wrapped(_ line: String, indent: String) -> [String] {
        let line = ReportTable.harmless(line)
        guard isTerminal else { return [indent + line] }
        var text = WrappedText(label: indent, width: (Terminal.width ?? 80) - 1)
        return text.add(line) + text.end()
    }

    /// Something about a turn, under what was said.
    private func remark(_ line: String) -> [String] { wrapped("(\(line))", indent: "       ") }

    /// What goes on, on the line under all others. Nothing where lines cannot be drawn anew.
    func status(_ status: LiveStatus) {
        guard isTerminal else { return }
        let line = status.line(width: (Terminal.width ?? 80) - 1, isColored: isColored)
        state.withLock { state in
            guard !state.isEnded, line != state.status else { return }
            state.status = line
            put([], &state)
        }
    }

    /// Nothing more is shown; the cursor stands on a line of its own.
    func end() {
        state.withLock { state in
            guard !state.isEnded else { return }
            state.status = ""
            put(close(&state), &state)
            state.isEnded = true
            if isTerminal { write("\u{1B}[?25h") }
        }
    }

    /// The lines of what was growing.
    private func close(_ state: inout State) -> [String] { state.heard.end() + state.said.end() }

    /// Adds lines that stay, and draws the rest anew.
    private func put(_ lines: [String], _ state: inout State) {
        guard !state.isEnded else { return }
        var text = ""
        if isTerminal {
            if state.drawn > 0 { text += "\r" + (state.drawn > 1 ? "\u{1B}[\(state.drawn - 1)A" : "") + "\u{1B}[J" }
            let growing = state.said.growing ?? state.heard.growing
            var rest = [growing.map(styled), state.status.isEmpty ? nil : state.status].compactMap { $0 }
            if let last = lines.last { state.endsEmpty = last.isEmpty }
            // Room between what is said and what goes on.
            if rest.count == 2 || (growing == nil && !state.endsEmpty && !rest.isEmpty) {
                rest.insert("", at: rest.count - 1)
            }
            text += lines.map { styled($0) + "\n" }.joined() + rest.joined(separator: "\n")
            state.drawn = rest.count
        } else {
            text = lines.map { $0 + "\n" }.joined()
        }
        write(text)
    }

    private func styled(_ line: String) -> String {
        guard isColored else { return line }
        if line.hasPrefix("you    ") || line.hasPrefix("reply  ") {
            return "\u{1B}[1m\(line.prefix(7))\u{1B}[0m\(line.dropFirst(7))"
        }
        // Remarks, and what is what, are not what one reads first.
        let isAside = ["       (", "daemon ", "microphone ", "loudspeaker "].contains { line.hasPrefix($0) }
        return isAside ? "\u{1B}[2m\(line)\u{1B}[0m" : line
    }

    private func ending(_ turn: TurnReport, wasInterrupted: Bool) -> [String] {
        var lines: [String] = []
        switch turn.status {
        case .completed, nil: break
        case .cancelled:
            if !wasInterrupted { lines += remark("interrupted") }
        case let status?:
            lines += remark("the response was \(status.rawValue): \(turn.reason ?? "?")")
        }
        if showsTimes, let line = TimingTable.line(turn) { lines += remark(line) }
        // Turns stand apart.
        return lines + [""]
    }

    private func write(_ text: String) {
        guard !text.isEmpty else { return }
        Terminal.write(text)
    }
}
