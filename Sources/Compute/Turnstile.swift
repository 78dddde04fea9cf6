import Synchronization

/// Lets one task through at a time, in the order in which they came. A task that is cancelled while it waits goes away.
public final class Turnstile: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
        var nextTicket = 0
        /// Tickets whose task was cancelled before it stood in the queue.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// A free one.
    public init() {}

    /// Waits for its turn. Whoever came in must `leave`.
    ///
    /// - Throws: `CancellationError`; then it is not in.
    public func enter() async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let isIn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Bool? = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return false }
                    if !state.isTaken {
                        state.isTaken = true
                        return true
                    }
                    state.waiting.append((ticket, continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                    state.cancelled.insert(ticket)
                    return nil
                }
                return state.waiting.remove(at: index).continuation
            }
            waiting?.resume(returning: false)
        }
        _ = state.withLock { $0.cancelled.remove(ticket) }
        if !isIn { throw CancellationError() }
    }

    /// Lets the next one in.
    public func leave() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            precondition(state.isTaken, "left without having entered")
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
