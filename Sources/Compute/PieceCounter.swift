import Synchronization

/// How often a compute thread has begun or ended a piece of work: odd while it is at one. Costs a thread one addition
/// without waiting, and tells others whether it moves.
final class PieceCounter: Sendable {
    private let changes = Atomic<UInt64>(0)

    /// Called by the thread when it begins a piece, and when it ends it.
    func change() { changes.wrappingAdd(1, ordering: .relaxed) }

    /// The number of the piece that the thread is at; nil when it waits for work.
    var current: UInt64? {
        let changes = changes.load(ordering: .relaxed)
        return changes.isMultiple(of: 2) ? nil : changes
    }
}
