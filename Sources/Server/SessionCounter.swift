import Synchronization

/// How many sessions are open.
final class SessionCounter: Sendable {
    private let sessions = Atomic<Int>(0)

    var count: Int { sessions.load(ordering: .relaxed) }

    func change(by difference: Int) { sessions.wrappingAdd(difference, ordering: .relaxed) }
}
