import CWebSockets
import Synchronization

/// What other threads ask of the service.
///
/// Bound: a connection is listed at most once, an HTTP exchange has one answer, whoever calls waits for the call before,
/// and the other commands are given once in a service's life. `lws_cancel_service` is the only call into libwebsockets
/// from other threads; it is made under the lock that `close` takes before the context is destroyed.
final class Mailbox: Sendable {
    enum Command: Sendable {
        case answer(UInt, HTTPResponse)
        case connect(ClientRequest)
        case call(@Sendable () -> Void)
        case shutDown
        case giveUp
    }

    /// What came in since the last time.
    struct Delivery {
        var attend: Set<UInt> = []
        var commands: [Command] = []
        var isEmpty: Bool { attend.isEmpty && commands.isEmpty }
    }

    private struct State {
        /// Address of the `lws_context`; 0 before it exists and after it is gone.
        var context: UInt = 0
        var delivery = Delivery()
    }

    private let state = Mutex(State())

    /// From now on commands wake the service.
    func open(_ context: OpaquePointer) {
        let address = UInt(bitPattern: context)
        state.withLock { $0.context = address }
    }

    /// From now on commands are dropped.
    func close() {
        state.withLock { $0 = State() }
    }

    /// Asks the service to look after a connection. Returns false when the service has ended.
    @discardableResult
    func attend(_ key: UInt) -> Bool {
        post { $0.attend.insert(key) }
    }

    /// Gives a command. Returns false when the service has ended.
    @discardableResult
    func post(_ command: Command) -> Bool {
        post { $0.commands.append(command) }
    }

    /// Takes what has come in.
    func take() -> Delivery {
        state.withLock { state in
            defer { state.delivery = Delivery() }
            return state.delivery
        }
    }

    private func post(_ add: (inout Delivery) -> Void) -> Bool {
        state.withLock { state in
            guard let context = OpaquePointer(bitPattern: state.context) else { return false }
            if state.delivery.isEmpty { lws_cancel_service(context) }
            add(&state.delivery)
            return true
        }
    }
}
