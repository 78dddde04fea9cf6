import Synchronization

/// The indices of one `parallelFor`, taken one by one by whoever works on it.
///
/// Invariant (of the unchecked conformance): `helpers` is only touched under `condition`; `body` is only called while
/// the caller of `parallelFor` waits or works, and touches distinct data for distinct indices, which is what that
/// caller promises.
final class Batch: @unchecked Sendable {
    private let count: Int
    private let body: (Int) -> Void
    private let next = Atomic<Int>(0)
    private let condition = Condition()
    private var helpers = 0

    init(count: Int, body: @escaping (Int) -> Void) {
        self.count = count
        self.body = body
    }

    func work() {
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

    func waitForHelpers() {
        condition.withLock { while helpers > 0 { condition.wait() } }
    }
}
