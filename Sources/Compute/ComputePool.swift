import CPlatform
import Synchronization

/// The threads that compute: the only ones that run networks.
///
/// Work arrives in two shapes. Jobs of a `ComputeLane` (an actor's code between two awaits) run one at a time per lane,
/// the most urgent class first, in order of arrival within a class. Shares of a `parallelFor` go before all jobs, since
/// a job is already waiting for them.
///
/// Swift's cooperative pool stays free for glue: a token loop there would delay every timer and socket of the process.
public final class ComputePool: Sendable {
    private let queues: WorkQueues
    private let pieces: [PieceCounter]
    /// How many threads compute.
    public let threadCount: Int

    /// Starts the threads. `threads` 0 means one for each processor that this process may use.
    public init(threads: Int = 0) {
        let count = threads > 0 ? threads : ComputePool.processorCount
        threadCount = count
        queues = WorkQueues()
        pieces = (0..<count).map { _ in PieceCounter() }
        for (index, counter) in pieces.enumerated() {
            startThread(named: "compute-\(index)") { [queues] in queues.work(counting: counter) }
        }
    }

    deinit { queues.stop() }

    /// The one pool of the process: its lanes and its `parallelFor` take from the same threads, so that there are never
    /// more threads that compute than were asked for.
    public static let shared = ComputePool(threads: sharedThreads.load(ordering: .relaxed))
    private static let sharedThreads = Atomic<Int>(0)

    /// Says how many threads `shared` will have, 0 for one for each processor; without effect once it is in use.
    public static func sizeShared(threads: Int) { sharedThreads.store(threads, ordering: .relaxed) }

    /// The processors that this process may run on (its affinity, not the machine's size).
    public static var processorCount: Int { Int(cplatform_processor_count()) }

    /// What each thread is at: a number that is another one for each piece of work, nil while it waits for work. A
    /// thread that shows the same number for too long hangs.
    public var currentPieces: [UInt64?] { pieces.map(\.current) }

    /// A new serial executor on this pool's threads.
    public func lane(_ workClass: WorkClass) -> ComputeLane { ComputeLane(workClass, on: queues) }

    /// Calls `body` with 0..<count, spread over the idle threads of the pool and the calling one; returns when all are
    /// done. Busy threads don't come to help, so nobody ever waits for an unrelated job.
    public func parallelFor(_ count: Int, _ body: (Int) -> Void) {
        guard count > 1, threadCount > 1 else {
            for index in 0..<count { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let batch = Batch(count: count, body: body)
            queues.offer(batch, copies: min(count, threadCount) - 1)
            batch.work()
            queues.withdraw(batch)
        }
    }
}
