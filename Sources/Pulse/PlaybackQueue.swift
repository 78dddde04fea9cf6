import Synchronization

/// The track that is played, between one task that puts samples in and the sound thread that takes them.
///
/// Bound: `capacity` samples wait. Policy when full: whoever puts samples in waits, so that a reply pauses when nothing is
/// played (a sink that is gone) and goes on when there is a sink again.
final class PlaybackQueue: Sendable {
    private struct State {
        var track = PlaybackTrack()
        var isClosed = false
        var writer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Puts samples in, waiting for room. Returns the place of the first one on the track; nil when the queue is closed or
    /// the task is cancelled. One writer.
    func add(_ samples: [Float]) async -> Int? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFull = state.withLock { state in
                    guard state.track.waiting >= capacity, !state.isClosed, !Task.isCancelled else { return false }
                    precondition(state.writer == nil, "played sound has one writer")
                    state.writer = continuation
                    return true
                }
                if !isFull { continuation.resume() }
            }
        } onCancel: {
            takeWriter { _ in }?.resume()
        }
        return state.withLock { state in
            state.isClosed || Task.isCancelled ? nil : state.track.add(samples)
        }
    }

    /// Fills a stream's buffer. Called on the sound thread.
    func fill(_ buffer: UnsafeMutableBufferPointer<Float>) {
        takeWriter { state in
            state.track.fill(buffer)
            return state.track.waiting < capacity
        }?.resume()
    }

    /// Where the track is heard, when all but the last `latency` samples that the stream took were; nil leaves it where it
    /// was last known to be.
    func heard(latency: Int?) -> (heard: Int, total: Int) {
        state.withLock { state in
            if let latency { state.track.advance(latency: latency) }
            return (state.track.heard, state.track.total)
        }
    }

    /// Throws away what was not heard. Returns up to where the track was heard.
    func flush() -> Int {
        let (heard, writer) = state.withLock { state in
            let heard = state.track.flush()
            defer { state.writer = nil }
            return (heard, state.writer)
        }
        writer?.resume()
        return heard
    }

    /// The stream is gone.
    func restart() { state.withLock { $0.track.restart() } }

    /// Nothing is played any more.
    func close() { takeWriter { $0.isClosed = true }?.resume() }

    private func takeWriter(_ change: (inout State) -> Void) -> CheckedContinuation<Void, Never>? {
        takeWriter { state in
            change(&state)
            return true
        }
    }

    /// Takes the waiting writer out when a change says that it may go on.
    private func takeWriter(_ change: (inout State) -> Bool) -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            guard change(&state) else { return nil }
            defer { state.writer = nil }
            return state.writer
        }
    }
}
