import Synchronization

/// The indices of one `parallelFor`, taken one by one by whoever works on it.
///
/// Invariant (of the unchecked conformance): `helpers` is only touched under `condition`; `body` is only called while
/// the caller of `parallelFor` waits or works, and touches distinct data for distinct indices, which is what that
/// caller promises; it is let go only when no helper is left.
final class Batch: @unchecked Sendable {
    private let count: Int
    private var body: ((Int) -> Void)?
    private let next = Atomic<Int>(0)
    private let condition = Condition()
    private var helpers = 0

    init(count: Int, body: @escaping (Int) -> Void) {
        self.count = count
        self.body = body
    }

    func work() {
        guard let body else { return }
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }

    func join() { condition.withLock { helpers += 1 } }

    func leave() {
        condition.withLock {
            helpers -= 1
            condition.broadcast()
        }
    }

    /// Waits for the helpers, and lets go of `body`: a helper that has left may hold the batch a moment longer, but the
    /// closure must not outlive its caller.
    func waitForHelpers() {
        condition.withLock { while helpers > 0 { condition.wait() } }
        body = nil
    }
}
