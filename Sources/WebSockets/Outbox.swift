import CWebSockets
import Synchronization

/// A message as it waits to be written: its payload with room for the frame's header in front of it.
struct OutboundFrame: Sendable {
    /// Text or binary.
    let isText: Bool
    /// `headerRoom` bytes to be written over, then the payload.
    var bytes: [UInt8]

    static let headerRoom = cws_header_room()

    init(isText: Bool, payload: some Collection<UInt8>) {
        self.isText = isText
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerRoom + payload.count)
        bytes.append(contentsOf: repeatElement(0, count: Self.headerRoom))
        bytes.append(contentsOf: payload)
        self.bytes = bytes
    }

    var payloadCount: Int { bytes.count - Self.headerRoom }
}

/// What waits to be written to a connection, and the close frame after it.
///
/// Bound: `outboundBytes`. Policy when full: `offer` refuses, and its caller closes the connection; `offerWaiting`
/// waits, first come first served, from the half of the bound on, so that a waiting sender never costs a message that
/// can't wait its place. A message is always taken when nothing else is queued, however long it is.
final class Outbox: Sendable {
    /// A sender's message that is not queued yet.
    private struct Waiter {
        let id: UInt64
        let frame: OutboundFrame
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var queue: ArraySlice<OutboundFrame> = []
        var bytes = 0
        var waiters: ArraySlice<Waiter> = []
        var nextWaiter: UInt64 = 0
        var close: (code: WebSocketCloseCode, reason: String)?
        var isClosed = false

        var isOpen: Bool { close == nil && !isClosed }
    }

    /// What became of an offered message.
    enum Offer { case queued, full, closed }

    /// What the service is to write next.
    enum Work {
        case frame(OutboundFrame)
        case close(WebSocketCloseCode, String)
        case nothing
    }

    private let state = Mutex(State())
    private let bound: Int

    init(limits: WebSocketLimits) { bound = limits.outboundBytes }

    /// The bytes that wait.
    var bytes: Int { state.withLock { $0.bytes } }

    /// The close frame that was asked for.
    var requestedClose: WebSocketClosure? {
        state.withLock { state in
            state.close.map { WebSocketClosure(code: $0.code, reason: $0.reason, initiator: .local) }
        }
    }

    /// Queues a message if it fits.
    func offer(_ frame: OutboundFrame) -> Offer {
        state.withLock { state in
            guard state.isOpen else { return .closed }
            guard state.bytes == 0 || state.bytes + frame.payloadCount <= bound else { return .full }
            Self.enqueue(frame, in: &state)
            return .queued
        }
    }

    /// Queues a message when there is room; false when the connection closes before that, or the task is cancelled.
    ///
    /// `wake` is called when something has been queued.
    func offerWaiting(_ frame: OutboundFrame, wake: () -> Void) async -> Bool {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let queued = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Bool? = state.withLock { state in
                    if !state.isOpen || Task.isCancelled { return false }
                    if state.waiters.isEmpty, fitsWaiting(frame, in: state) {
                        Self.enqueue(frame, in: &state)
                        return true
                    }
                    state.waiters.append(Waiter(id: id, frame: frame, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(returning: false)
        }
        if queued { wake() }
        return queued
    }

    /// Asks for a close frame after what is queued, or instead of it; the first request stands. Returns whether this
    /// was it.
    func requestClose(_ code: WebSocketCloseCode, reason: String, dropQueue: Bool) -> Bool {
        let (isFirst, waiters): (Bool, ArraySlice<Waiter>) = state.withLock { state in
            guard state.isOpen else { return (false, []) }
            state.close = (code, reason)
            if dropQueue {
                state.queue = []
                state.bytes = 0
            }
            defer { state.waiters = [] }
            return (true, state.waiters)
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
        return isFirst
    }

    /// Takes what is to be written next. Called by the service.
    func next() -> Work {
        let (work, admitted): (Work, [Waiter]) = state.withLock { state in
            guard let frame = state.queue.popFirst() else {
                guard let close = state.close, !state.isClosed else { return (.nothing, []) }
                // Once: libwebsockets takes a second request for an order to hang up without waiting for the answer.
                state.isClosed = true
                return (.close(close.code, close.reason), [])
            }
            state.bytes -= frame.payloadCount
            if state.queue.isEmpty { state.queue = [] }
            var admitted: [Waiter] = []
            while let waiter = state.waiters.first, fitsWaiting(waiter.frame, in: state) {
                state.waiters.removeFirst()
                Self.enqueue(waiter.frame, in: &state)
                admitted.append(waiter)
            }
            return (.frame(frame), admitted)
        }
        for waiter in admitted { waiter.continuation.resume(returning: true) }
        return work
    }

    /// The socket is gone: nothing is written any more.
    func finish() {
        let waiters = state.withLock { state in
            state.isClosed = true
            state.queue = []
            state.bytes = 0
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }

    private func fitsWaiting(_ frame: OutboundFrame, in state: State) -> Bool {
        state.bytes == 0 || state.bytes + frame.payloadCount <= bound / 2
    }

    private static func enqueue(_ frame: OutboundFrame, in state: inout State) {
        state.queue.append(frame)
        state.bytes += frame.payloadCount
    }
}
