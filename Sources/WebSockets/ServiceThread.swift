import CWebSockets
import Glibc

/// A POSIX thread of its own, with a name that debuggers and `top -H` show.
struct ServiceThread: ~Copyable {
    private let handle: pthread_t

    /// Starts a thread that runs `body` to its end.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(WebSocketError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let status = pthread_create(
            &handle, nil,
            { pointer in
                guard let pointer else { return nil }
                let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
                cws_name_this_thread(String(start.name.prefix(15)))
                start.body()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw .setup("no thread: \(String(cString: strerror(status)))")
        }
        self.handle = handle
    }

    /// Lets the thread go: nobody waits for its end.
    consuming func detach() {
        pthread_detach(handle)
    }

    /// Waits for the thread's end.
    consuming func join() {
        pthread_join(handle, nil)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
