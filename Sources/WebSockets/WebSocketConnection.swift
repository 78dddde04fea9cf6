/// One WebSocket, on either side of it.
///
/// It may be used from any task; `messages` has a single reader. The socket belongs to the service's thread: this is
/// the pair of bounded queues between that thread and the program. When the program is done with a connection it
/// calls `close`; a server's connections are also closed when their handler returns.
public final class WebSocketConnection: Sendable {
    /// The subprotocol that was agreed on; nil when the client offered none.
    public let subprotocol: String?
    /// The opening request: path, query, header fields, peer's address. On the client side, the request it made.
    public let request: HTTPRequest

    let inbox: Inbox
    let outbox: Outbox
    private let key: UInt
    private let service: Service

    init(
        key: UInt, service: Service, subprotocol: String?, request: HTTPRequest, limits: WebSocketLimits
    ) {
        self.key = key
        self.service = service
        self.subprotocol = subprotocol
        self.request = request
        inbox = Inbox(limits: limits)
        outbox = Outbox(limits: limits)
    }

    /// The path of the opening request.
    public var path: String { request.path }

    /// The peer's numeric address.
    public var remoteAddress: String { request.remoteAddress }

    /// How many bytes of messages wait to be written; what the kernel holds is not in it.
    public var bufferedBytes: Int { outbox.bytes }

    /// What comes in, in order; ends after `.closed`. Reading slowly slows the peer down.
    public var messages: Messages { Messages(connection: self) }

    /// Queues a text message; its bytes must be UTF-8. Returns false when the connection is closing or closed.
    ///
    /// Never waits: a message that would go beyond `outboundBytes` closes the connection with 1008, for a peer that
    /// doesn't read gets no more memory. It may overtake messages that wait in `sendWaiting`.
    @discardableResult
    public func send(text bytes: some Collection<UInt8>) -> Bool {
        offer(OutboundFrame(isText: true, payload: bytes))
    }

    /// Queues a text message; see `send(text:)` for bytes.
    @discardableResult
    public func send(text: String) -> Bool {
        offer(OutboundFrame(isText: true, payload: text.utf8))
    }

    /// Queues a binary message; see `send(text:)`.
    @discardableResult
    public func send(binary bytes: some Collection<UInt8>) -> Bool {
        offer(OutboundFrame(isText: false, payload: bytes))
    }

    /// Queues a text message when there is room for it, that is, at the pace of the peer. Returns false when the
    /// connection closes before that, or the task is cancelled.
    @discardableResult
    public func sendWaiting(text bytes: some Collection<UInt8> & Sendable) async -> Bool {
        await outbox.offerWaiting(OutboundFrame(isText: true, payload: bytes)) { service.attend(key) }
    }

    /// Queues a binary message when there is room for it; see `sendWaiting(text:)`.
    @discardableResult
    public func sendWaiting(binary bytes: some Collection<UInt8> & Sendable) async -> Bool {
        await outbox.offerWaiting(OutboundFrame(isText: false, payload: bytes)) { service.attend(key) }
    }

    /// Ends the connection: what is queued is written, then a close frame; within `closeTimeout` the socket is gone.
    /// Does nothing when it is ending already.
    ///
    /// - Parameters:
    ///   - code: One that may be sent (`isSendable`); another is a programming error.
    ///   - reason: For people, shortened to the 123 bytes that a close frame holds.
    public func close(code: WebSocketCloseCode = .normal, reason: String = "") {
        precondition(code.isSendable, "close code \(code.rawValue) may not be sent")
        if outbox.requestClose(code, reason: reason, dropQueue: false) { service.attend(key) }
    }

    /// Ends the connection because of a limit: what is queued is dropped.
    func breakOff(code: WebSocketCloseCode, reason: String) {
        if outbox.requestClose(code, reason: reason, dropQueue: true) { service.attend(key) }
    }

    /// Nobody reads any more: what still comes in is dropped.
    func abandonInbox() {
        if inbox.abandon() { service.attend(key) }
    }

    private func offer(_ frame: OutboundFrame) -> Bool {
        switch outbox.offer(frame) {
        case .queued:
            service.attend(key)
            return true
        case .full:
            breakOff(code: .policyViolation, reason: "the peer reads too slowly")
            return false
        case .closed:
            return false
        }
    }

    /// The messages of a connection, as an asynchronous sequence with a single reader.
    public struct Messages: AsyncSequence, AsyncIteratorProtocol, Sendable {
        /// A message, or the end of the connection.
        public typealias Element = WebSocketMessage
        /// Nothing is thrown: the end is an element.
        public typealias Failure = Never

        let connection: WebSocketConnection

        /// The next message; nil after `.closed`, or when the task is cancelled.
        public func next() async -> WebSocketMessage? {
            await connection.inbox.next { connection.service.attend(connection.key) }
        }

        /// The next message, on the caller's actor.
        public func next(isolation actor: isolated (any Actor)?) async -> WebSocketMessage? {
            await next()
        }

        /// The sequence is its own iterator.
        public func makeAsyncIterator() -> Messages { self }
    }
}
