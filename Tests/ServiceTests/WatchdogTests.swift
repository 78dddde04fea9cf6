import Compute
import Foundation
import Logging
import Synchronization
import Testing

@testable import Server

@Suite("The watchdog", .serialized) struct WatchdogTests {
    private static let interval = Duration.milliseconds(400)
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An actor whose job blocks its compute thread until it is let go.
    private actor Blocker {
        private let lane: ComputeLane
        nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
        init(_ lane: ComputeLane) { self.lane = lane }
        func block(on gate: DispatchSemaphore) { gate.wait() }
    }

    /// A watchdog on a pool and a socket thread that may hang; the body gets what a service manager hears.
    private func withWatchdog(
        threads: Int, onNextRound: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() },
        _ body: (ComputePool, NotifyListener) async throws -> Void
    ) async throws {
        let listener = try NotifyListener()
        let socket = try NotifySocket(listener.name)
        let pool = ComputePool(threads: threads)
        let watchdog = Watchdog(
            interval: Self.interval, pool: pool, logger: Self.logger, onNextRound: onNextRound,
            ping: { socket.send(.watchdog) })
        defer { watchdog.stop() }
        try await body(pool, listener)
    }

    @Test("pings come more often than the manager asks for, as long as everything moves") func pings() async throws {
        try await withWatchdog(threads: 2) { _, listener in
            let count = try await onThread { listener.pings(within: 2) }
            #expect(count >= 10, "five intervals")
        }
    }

    @Test(
        "a compute thread that hangs stops the pings, also when another one is free; they come back with it",
        arguments: [1, 2])
    func blockedLane(threads: Int) async throws {
        try await withWatchdog(threads: threads) { pool, listener in
            #expect(try await onThread { listener.lines(until: "WATCHDOG=1", within: 5) } != nil)
            let gate = DispatchSemaphore(value: 0)
            let blocked = Task { await Blocker(pool.lane(.tokens)).block(on: gate) }
            // Within half an interval it is still a long piece of work; then it hangs.
            _ = try await onThread { listener.pings(within: 0.6) }
            let count = try await onThread { listener.pings(within: 1.5) }
            #expect(count == 0)
            gate.signal()
            await blocked.value
            #expect(try await onThread { listener.lines(until: "WATCHDOG=1", within: 5) } != nil)
        }
    }

    @Test("a socket thread that hangs stops the pings") func blockedSocketThread() async throws {
        try await withWatchdog(threads: 1, onNextRound: { _ in }) { _, listener in
            _ = try await onThread { listener.pings(within: 0.6) }
            #expect(try await onThread { listener.pings(within: 1) } == 0)
        }
    }

    @Test("after stop there are none") func stopped() async throws {
        let pings = Mutex(0)
        let watchdog = Watchdog(
            interval: Self.interval, pool: ComputePool(threads: 1), logger: Self.logger, onNextRound: { $0() },
            ping: { pings.withLock { $0 += 1 } })
        watchdog.stop()
        try await onThread { usleep(200_000) }
        let count = pings.withLock { $0 }
        try await onThread { usleep(600_000) }
        #expect(pings.withLock { $0 } == count)
    }
}
