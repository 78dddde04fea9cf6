import Synchronization

/// Captured samples on their way from the sound thread to one reader.
///
/// Bound: `capacity` samples. Policy when full: the oldest are dropped and counted, since whoever listens too late wants
/// to hear what is said now.
final class CaptureQueue: Sendable {
    private struct State {
        var samples: [Float] = []
        /// The first sample that has not been taken.
        var start = 0
        var dropped = 0
        var isClosed = false
        var wanted = 0
        var reader: CheckedContinuation<[Float]?, Never>?

        var count: Int { samples.count - start }

        mutating func take(_ number: Int) -> [Float] {
            defer {
                start += number
                // Moved together now and then, not for every frame.
                if start >= samples.count / 2 {
                    samples.removeFirst(start)
                    start = 0
                }
            }
            return Array(samples[start..<start + number])
        }
    }

    private let state: Mutex<State>
    private let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        var state = State()
        state.samples.reserveCapacity(2 * capacity)
        self.state = Mutex(state)
    }

    /// Samples that were dropped so far.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Adds what was captured. Called on the sound thread, with at most a few fragments at a time.
    func add(_ samples: some Collection<Float>) {
        let (reader, piece) = state.withLock { state -> (CheckedContinuation<[Float]?, Never>?, [Float]) in
            guard !state.isClosed else { return (nil, []) }
            state.samples += samples
            let excess = state.count - capacity
            if excess > 0, state.reader == nil || excess > state.wanted {
                _ = state.take(excess)
                state.dropped += excess
            }
            guard let reader = state.reader, state.count >= state.wanted else { return (nil, []) }
            state.reader = nil
            return (reader, state.take(state.wanted))
        }
        reader?.resume(returning: piece)
    }

    /// The next samples, as many as asked for; nil when the queue is closed or the task is cancelled. One reader.
    func next(_ count: Int) async -> [Float]? {
        precondition(count > 0 && count <= capacity, "more is asked for than ever waits")
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result: [Float]?? = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return .some(nil) }
                    if state.count >= count { return .some(state.take(count)) }
                    precondition(state.reader == nil, "captured sound has one reader")
                    state.wanted = count
                    state.reader = continuation
                    return .none
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            takeReader { _ in }?.resume(returning: nil)
        }
    }

    /// No more sound comes.
    func close() { takeReader { $0.isClosed = true }?.resume(returning: nil) }

    private func takeReader(_ change: (inout State) -> Void) -> CheckedContinuation<[Float]?, Never>? {
        state.withLock { state in
            change(&state)
            defer { state.reader = nil }
            return state.reader
        }
    }
}
