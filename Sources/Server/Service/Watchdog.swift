import Compute
import Foundation
import Logging
import Synchronization

/// Tells the service manager that the service lives, as often as it wants to hear that, and only if it does:
///
/// - a job on a compute lane has come to run, which takes a free compute thread and Swift's cooperative pool;
/// - every compute thread has begun or ended a piece of work within half of the interval, or has none;
/// - the socket thread has made a round.
///
/// A deadlock, an endless loop or a thread that is gone stops the pings, and the manager starts the service anew.
public final class Watchdog: Sendable {
    /// The job that must come to run.
    private actor Probe {
        private let lane: ComputeLane
        nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
        init(_ lane: ComputeLane) { self.lane = lane }
        func run() {}
    }

    private let end = DispatchSemaphore(value: 0)

    /// Starts to watch.
    /// - Parameters:
    ///   - interval: what the manager waits for a ping.
    ///   - onNextRound: lets the socket thread call its argument.
    ///   - ping: tells the manager.
    public init(
        interval: Duration, pool: ComputePool, logger: Logger,
        onNextRound: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void, ping: @escaping @Sendable () -> Void
    ) {
        let limit = interval / 2
        let period = Double((interval / 4) / .nanoseconds(1)) / 1e9
        startThread(named: "watchdog") { [end] in
            let probe = Probe(pool.lane(.audioOut))
            // Not the time that the machine slept.
            let clock = SuspendingClock()
            let start = clock.now
            let (lane, round) = (Answer(start), Answer(start))
            var pieces = PieceAges(pool.currentPieces, at: start)
            var isComplaining = false
            repeat {
                lane.ask { answer in
                    Task {
                        await probe.run()
                        answer()
                    }
                }
                round.ask(onNextRound)
                let now = clock.now
                pieces.update(pool.currentPieces, at: now)
                let silences = [
                    ("the compute queue", lane.silence(at: now)), ("a compute thread", pieces.oldest(at: now)),
                    ("the socket thread", round.silence(at: now)),
                ]
                let hanging = silences.filter { $0.1 >= limit }
                if hanging.isEmpty {
                    ping()
                    if isComplaining { logger.notice("everything moves again: the service manager is told so") }
                } else if !isComplaining {
                    let names = hanging.map(\.0).joined(separator: " and ")
                    logger.critical(
                        "\(names) has not moved for \(limit): the service manager is not told that all is well")
                }
                isComplaining = !hanging.isEmpty
            } while end.wait(timeout: .now() + period) == .timedOut
        }
    }

    /// No more pings.
    public func stop() { end.signal() }
}

/// A question that is asked again when it was answered, and since when it is open.
private final class Answer: Sendable {
    private struct State {
        var asked: SuspendingClock.Instant
        var isOpen = false
    }

    private let state: Mutex<State>

    init(_ now: SuspendingClock.Instant) { state = Mutex(State(asked: now)) }

    func ask(_ question: (@escaping @Sendable () -> Void) -> Void) {
        let isNew = state.withLock { state in
            guard !state.isOpen else { return false }
            state = State(asked: SuspendingClock().now, isOpen: true)
            return true
        }
        if isNew { question { [self] in state.withLock { $0.isOpen = false } } }
    }

    /// How long the question has been open.
    func silence(at now: SuspendingClock.Instant) -> Duration {
        state.withLock { $0.isOpen ? $0.asked.duration(to: now) : .zero }
    }
}

/// For how long each compute thread has been seen at the same piece.
private struct PieceAges {
    private var pieces: [UInt64?]
    private var since: [SuspendingClock.Instant]

    init(_ pieces: [UInt64?], at now: SuspendingClock.Instant) {
        self.pieces = pieces
        since = pieces.map { _ in now }
    }

    mutating func update(_ new: [UInt64?], at now: SuspendingClock.Instant) {
        for index in new.indices where new[index] == nil || new[index] != pieces[index] { since[index] = now }
        pieces = new
    }

    func oldest(at now: SuspendingClock.Instant) -> Duration {
        since.map { $0.duration(to: now) }.max() ?? .zero
    }
}
