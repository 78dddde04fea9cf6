import Synchronization

/// What a long computation is at, on standard error: nothing in the first second, then a line that is written over on a
/// terminal, and a line for what is new, at most one a second, elsewhere.
final class ProgressLine: Sendable {
    private struct State {
        var title: String
        var stage = ""
    }

    private let state: Mutex<State>

    /// Nothing is shown as long as the title is empty.
    init(_ title: String) { state = Mutex(State(title: title)) }

    /// What is being worked on; set from any thread.
    var stage: String {
        get { state.withLock { $0.stage } }
        set { state.withLock { $0.stage = newValue } }
    }

    /// It is another kind of work, at this stage; from any thread.
    func show(_ title: String, _ stage: String) { state.withLock { $0 = State(title: title, stage: stage) } }

    /// Shows the stages until the task is cancelled.
    func show() async {
        let clock = ContinuousClock()
        let start = clock.now
        let isTerminal = Terminal.isError
        var shown = ""
        defer { if isTerminal, !shown.isEmpty { Terminal.writeError("\r\u{1B}[K") } }
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let state = state.withLock { $0 }
            let seconds = (clock.now - start).components.seconds
            let line = state.stage.isEmpty ? state.title : "\(state.title): \(state.stage)"
            if state.title.isEmpty { continue }
            if isTerminal {
                Terminal.writeError("\r\u{1B}[K\(line), \(seconds) s")
            } else if line != shown, !state.stage.isEmpty {
                Terminal.complain("\(line), \(seconds) s")
            }
            shown = line
        }
    }
}
