import Synchronization

/// A serial executor on the threads of a `ComputePool`: an actor whose `unownedExecutor` is a lane computes there, in
/// the lane's class of urgency.
///
/// One job (the code between two suspension points) is run for each turn; then the lane queues again behind the others
/// of its class. `await Task.yield()` in a loop is therefore what lets more urgent work in.
public final class ComputeLane: SerialExecutor {
    private let currentClass: Atomic<Int>
    private let queues: WorkQueues
    private let jobs = Mutex<Jobs>(Jobs())

    private struct Jobs {
        var waiting: [UnownedJob] = []
        /// True while the lane stands in the pool's queue or runs: the guarantee that it runs on one thread only.
        var scheduled = false
    }

    init(_ workClass: WorkClass, on queues: WorkQueues) {
        currentClass = Atomic(workClass.rawValue)
        self.queues = queues
    }

    /// The urgency of what runs here: it may change, since the same state listens at one time and answers at another.
    /// A lane that already waits keeps the place that it has.
    public var workClass: WorkClass {
        get { WorkClass(rawValue: currentClass.load(ordering: .relaxed)) ?? .artifact }
        set { currentClass.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Called by the Swift runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let schedule = jobs.withLock { jobs in
            jobs.waiting.append(job)
            defer { jobs.scheduled = true }
            return !jobs.scheduled
        }
        if schedule { queues.enqueue(self) }
    }

    /// Runs the oldest job. True when more are waiting, and the lane must be queued again.
    func runOne() -> Bool {
        let job = jobs.withLock { $0.waiting.removeFirst() }
        job.runSynchronously(on: asUnownedSerialExecutor())
        return jobs.withLock { jobs in
            jobs.scheduled = !jobs.waiting.isEmpty
            return jobs.scheduled
        }
    }
}
