/// The queues that the compute threads take from.
///
/// Bounds: a lane stands in its queue at most once, and a batch as often as there are threads; so the queues are as
/// long as there are actors on lanes, whose own mailboxes are bounded by their senders' awaits.
///
/// Invariant (of the unchecked conformance): every mutable stored property is only touched under `condition`.
final class WorkQueues: @unchecked Sendable {
    private let condition = Condition()
    private var ready: [[ComputeLane]] = Array(repeating: [], count: WorkClass.allCases.count)
    private var batches: [Batch] = []
    private var stopped = false

    private enum Work {
        case lane(ComputeLane)
        case batch(Batch)
    }

    func enqueue(_ lane: ComputeLane) {
        condition.withLock {
            ready[lane.workClass.rawValue].append(lane)
            condition.signal()
        }
    }

    func offer(_ batch: Batch, copies: Int) {
        condition.withLock {
            for _ in 0..<copies { batches.append(batch) }
            if copies > 1 { condition.broadcast() } else { condition.signal() }
        }
    }

    /// Takes back the invitations that nobody took, and waits for the helpers that came.
    func withdraw(_ batch: Batch) {
        condition.withLock { batches.removeAll { $0 === batch } }
        batch.waitForHelpers()
    }

    func stop() {
        condition.withLock {
            stopped = true
            condition.broadcast()
        }
    }

    /// The life of a compute thread. `pieces` counts what it does.
    func work(counting pieces: PieceCounter) {
        while let work = next() {
            pieces.change()
            defer { pieces.change() }
            switch work {
            case .lane(let lane):
                if lane.runOne() { enqueue(lane) }
            case .batch(let batch):
                batch.work()
                batch.leave()
            }
        }
    }

    private func next() -> Work? {
        condition.withLock {
            while true {
                if let batch = batches.popLast() {
                    batch.join()
                    return .batch(batch)
                }
                for index in ready.indices where !ready[index].isEmpty {
                    return .lane(ready[index].removeFirst())
                }
                if stopped { return nil }
                condition.wait()
            }
        }
    }
}
