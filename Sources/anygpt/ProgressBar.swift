import CheckpointTools
import Foundation
import Synchronization

/// How far a long job with a known size is, on standard error: nothing in the first second, then a bar on a terminal, and
/// elsewhere a line for each tenth.
final class ProgressBar: Sendable {
    private struct State {
        var label: String
        var done = 0
        var total = 0
    }

    /// What is counted.
    enum Unit {
        case bytes
        case tokens

        func text(_ count: Int) -> String { self == .bytes ? Size.text(count) : "\(count) tokens" }
    }

    private let unit: Unit

    private let state: Mutex<State>

    init(_ label: String, _ unit: Unit = .bytes) {
        self.unit = unit
        state = Mutex(State(label: label))
    }

    /// Tells how far the job is; from any thread.
    func update(_ label: String, _ done: Int, of total: Int) {
        state.withLock { $0 = State(label: label, done: done, total: total) }
    }

    /// Shows the progress until the task is cancelled.
    func show() async {
        let clock = ContinuousClock()
        let start = clock.now
        let isTerminal = Terminal.isError
        var (shown, tenth) = (false, -1)
        defer { if shown, isTerminal { Terminal.writeError("\r\u{1B}[K") } }
        try? await Task.sleep(for: .seconds(1))
        while !Task.isCancelled {
            let state = state.withLock { $0 }
            let seconds = Double((clock.now - start) / .seconds(1))
            if state.total > 0 {
                if isTerminal {
                    Terminal.writeError("\r\u{1B}[K" + Self.line(state.label, state.done, state.total, seconds, unit))
                    shown = true
                } else if state.done * 10 / state.total > tenth {
                    tenth = state.done * 10 / state.total
                    Terminal.complain(Self.line(state.label, state.done, state.total, seconds, unit))
                }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// `model.safetensors  ███████▌        48 %  6.3 of 13.1 GB  212 MB/s  32 s left`
    static func line(_ label: String, _ done: Int, _ total: Int, _ seconds: Double, _ unit: Unit) -> String {
        let share = Double(min(done, total)) / Double(max(total, 1))
        let eighths = Int(share * 20 * 8)
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        let full = String(repeating: "█", count: eighths / 8) + partial
        let bar = full + String(repeating: " ", count: 20 - full.count)
        var line = "\(label)  \(bar) \(Int(share * 100)) %  \(unit.text(done)) of \(unit.text(total))"
        if done > 0, seconds > 0 {
            let rate = Double(done) / seconds
            line += "  \(unit.text(Int(rate)))/s  \(time(Double(total - done) / rate)) left"
        }
        return line
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole < 120 ? "\(whole) s" : whole < 7200 ? "\(whole / 60) min" : "\(whole / 3600) h"
    }
}
