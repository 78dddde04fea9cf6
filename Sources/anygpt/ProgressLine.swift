import Synchronization

/// What a long computation is at, on standard error: nothing in the first second, then a line that is written over on a
/// terminal, and a line for what is new, at most one a second, elsewhere.
final class ProgressLine: Sendable {
    private let title: String
    private let current = Mutex("")

    init(_ title: String) { self.title = title }

    /// What is being worked on; set from any thread.
    var stage: String {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Shows the stages until the task is cancelled.
    func show() async {
        let clock = ContinuousClock()
        let start = clock.now
        let isTerminal = Terminal.isError
        var shown = ""
        defer { if isTerminal, !shown.isEmpty { Terminal.writeError("\r\u{1B}[K") } }
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let stage = stage
            let seconds = (clock.now - start).components.seconds
            if isTerminal {
                Terminal.writeError("\r\u{1B}[K\(title): \(stage), \(seconds) s")
            } else if stage != shown {
                Terminal.complain("\(title): \(stage), \(seconds) s")
            }
            shown = stage
        }
    }
}
