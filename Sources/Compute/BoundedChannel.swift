import Synchronization

/// A queue between two tasks: at most `capacity` elements wait in it; whoever sends into a full one is suspended until
/// there is room. One producer at a time and one consumer at a time.
public final class BoundedChannel<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var finished = false
        var receiver: CheckedContinuation<Element?, Never>?
        var sender: CheckedContinuation<Void, Never>?
    }

    private let capacity: Int
    private let state = Mutex<State>(State())

    /// A channel in which at most `capacity` elements wait.
    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Adds an element, waiting for room. After `finish` elements are dropped: nobody will ask for them.
    public func send(_ element: Element) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            var receiver: CheckedContinuation<Element?, Never>?
            let full = state.withLock { state in
                if state.finished { return false }
                if let waiting = state.receiver {
                    receiver = waiting
                    state.receiver = nil
                    return false
                }
                state.elements.append(element)
                guard state.elements.count >= capacity else { return false }
                precondition(state.sender == nil, "two producers")
                state.sender = continuation
                return true
            }
            receiver?.resume(returning: element)
            if !full { continuation.resume() }
        }
    }

    /// The next element, waiting for one; nil when the channel is finished and empty.
    public func receive() async -> Element? {
        await withCheckedContinuation { continuation in
            var sender: CheckedContinuation<Void, Never>?
            let result: Element?? = state.withLock { state in
                if !state.elements.isEmpty {
                    (sender, state.sender) = (state.sender, nil)
                    return .some(state.elements.removeFirst())
                }
                if state.finished { return .some(nil) }
                precondition(state.receiver == nil, "two consumers")
                state.receiver = continuation
                return .none
            }
            sender?.resume()
            if let result { continuation.resume(returning: result) }
        }
    }

    /// No more elements will come: the receiver gets what waits, then nil. A suspended sender goes on.
    public func finish() {
        let (receiver, sender) = state.withLock { state in
            state.finished = true
            defer { (state.receiver, state.sender) = (nil, nil) }
            return (state.receiver, state.sender)
        }
        receiver?.resume(returning: nil)
        sender?.resume()
    }

    /// Ends the channel and throws away what waits in it.
    public func cancel() {
        state.withLock { $0.elements.removeAll() }
        finish()
    }
}
