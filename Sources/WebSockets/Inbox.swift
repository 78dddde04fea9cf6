import Synchronization

/// What has come in on a connection and waits for its reader.
///
/// Bound: `inboundMessages` and `inboundBytes`. Policy when full: the service stops reading from the socket, so that
/// the peer feels it; nothing is dropped. The service adds, one task takes.
final class Inbox: Sendable {
    private struct State {
        var queue: ArraySlice<WebSocketMessage> = []
        var bytes = 0
        /// The service was told to stop reading and not yet to go on.
        var isPaused = false
        /// The last element is in the queue or was taken; nothing comes after it.
        var isFinished = false
        /// Nobody reads any more: what comes in is dropped.
        var isAbandoned = false
        var reader: CheckedContinuation<WebSocketMessage?, Never>?
    }

    private let state = Mutex(State())
    private let maxMessages: Int
    private let maxBytes: Int

    init(limits: WebSocketLimits) {
        maxMessages = limits.inboundMessages
        maxBytes = limits.inboundBytes
    }

    /// Adds a message; returns false when the service is to stop reading from the socket.
    func add(_ message: WebSocketMessage) -> Bool {
        let (reader, goOn): (CheckedContinuation<WebSocketMessage?, Never>?, Bool) = state.withLock { state in
            if state.isFinished || state.isAbandoned { return (nil, true) }
            if case .closed = message { state.isFinished = true }
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            state.queue.append(message)
            state.bytes += message.byteCount
            if !state.isPaused, isFull(state) { state.isPaused = true }
            return (nil, !state.isPaused)
        }
        reader?.resume(returning: message)
        return goOn
    }

    /// Whether the service is to stay off the socket.
    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Takes the next message, waiting for it; nil after the last one, or when the task is cancelled.
    ///
    /// `resume` is called when the queue has drained so far that the service may read again.
    func next(resume: () -> Void) async -> WebSocketMessage? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isOver, message, goOn) = state.withLock { state in
                    let (message, goOn) = take(from: &state)
                    let isOver = message != nil || state.isFinished || Task.isCancelled
                    if !isOver {
                        precondition(state.reader == nil, "a connection's messages have one reader")
                        state.reader = continuation
                    }
                    return (isOver, message, goOn)
                }
                if goOn { resume() }
                if isOver { continuation.resume(returning: message) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
    }

    /// The first message, and whether the service may read again now.
    private func take(from state: inout State) -> (WebSocketMessage?, goOn: Bool) {
        guard let message = state.queue.popFirst() else { return (nil, false) }
        state.bytes -= message.byteCount
        // Lets go of the slice's storage when the queue runs empty.
        if state.queue.isEmpty { state.queue = [] }
        let goOn = state.isPaused && state.queue.count <= maxMessages / 2 && state.bytes <= maxBytes / 2
        if goOn { state.isPaused = false }
        return (message, goOn)
    }

    /// Drops what is queued and what is still to come; returns true when the service may read again.
    func abandon() -> Bool {
        state.withLock { state in
            state.isAbandoned = true
            state.queue = []
            state.bytes = 0
            defer { state.isPaused = false }
            return state.isPaused
        }
    }

    private func isFull(_ state: State) -> Bool {
        state.queue.count >= maxMessages || state.bytes >= maxBytes
    }
}

extension WebSocketMessage {
    /// What the message weighs in a queue.
    fileprivate var byteCount: Int {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes.count
        case .malformedText, .tooLarge, .closed: 0
        }
    }
}
