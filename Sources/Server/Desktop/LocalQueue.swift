import Synchronization

/// One way of a session within the process: values in order, from whoever puts them in to one reader.
///
/// Bound: `limit` values wait. Policy when full: `offerWaiting` waits until half of them were read, `offer` refuses.
final class LocalQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: ArraySlice<Element> = []
        var isFinished = false
        var reader: CheckedContinuation<Element?, Never>?
        var writers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Puts a value in. False, and not put in, when the queue is full or finished.
    @discardableResult
    func offer(_ element: Element) -> Bool {
        let (isTaken, reader) = state.withLock { state -> (Bool, CheckedContinuation<Element?, Never>?) in
            guard !state.isFinished, state.elements.count < limit else { return (false, nil) }
            if let reader = state.reader {
                state.reader = nil
                return (true, reader)
            }
            state.elements.append(element)
            return (true, nil)
        }
        reader?.resume(returning: element)
        return isTaken
    }

    /// Puts a value in when there is room. False when the queue is finished.
    func offerWaiting(_ element: Element) async -> Bool {
        while !offer(element) {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let goesOn = state.withLock { state in
                    guard !state.isFinished, state.elements.count >= limit else { return true }
                    state.writers.append(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
            if state.withLock({ $0.isFinished }) { return false }
        }
        return true
    }

    /// The next value; nil when the queue is finished and empty, or the task is cancelled.
    func next() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (result, writers) = state.withLock { state -> (Element??, [CheckedContinuation<Void, Never>]) in
                    if let element = state.elements.popFirst() {
                        // Lets go of the slice's storage when the queue runs empty.
                        if state.elements.isEmpty { state.elements = [] }
                        guard state.elements.count <= limit / 2 else { return (element, []) }
                        defer { state.writers = [] }
                        return (element, state.writers)
                    }
                    if state.isFinished || Task.isCancelled { return (.some(nil), []) }
                    precondition(state.reader == nil, "a session has one reader each way")
                    state.reader = continuation
                    return (nil, [])
                }
                for writer in writers { writer.resume() }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
    }

    /// Nothing more is put in; what waits is still read.
    func finish() {
        let (reader, writers) = state.withLock { state in
            state.isFinished = true
            defer { (state.reader, state.writers) = (nil, []) }
            return (state.reader, state.writers)
        }
        reader?.resume(returning: nil)
        for writer in writers { writer.resume() }
    }
}
