import Synchronization

/// How many sessions are open.
final class SessionCounter: Sendable {
    private let sessions = Mutex(0)
    private let changed: @Sendable (Int) -> Void

    /// - Parameter changed: is told every new number, in order, and must be quick.
    init(changed: @escaping @Sendable (Int) -> Void) { self.changed = changed }

    var count: Int { sessions.withLock { $0 } }

    func change(by difference: Int) {
        sessions.withLock { sessions in
            sessions += difference
            changed(sessions)
        }
    }
}
