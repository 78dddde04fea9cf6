import Compute

/// How work is shared between the compute threads.
enum Sharing {
    /// Multiply-adds below which waking another thread costs more than it brings: some 40 µs of one thread for a token,
    /// whose products wait for memory.
    static let worthSharing = 2 << 20

    /// Calls `body` with (share, of how many); once with (0, 1) for little work.
    static func run(work: Int, _ body: (Int, Int) -> Void) {
        let pool = ComputePool.shared
        guard work >= worthSharing, pool.threadCount > 1 else { return body(0, 1) }
        let shares = pool.threadCount
        pool.parallelFor(shares) { body($0, shares) }
    }
}
