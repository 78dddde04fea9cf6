import CPlatform

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Starts a detached thread. It ends when `body` returns.
public func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name, body))
    let result = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            cplatform_set_thread_name(start.name)
            start.body()
            return nil
        }, start.toOpaque())
    precondition(result == 0, "cannot start the thread \(name): error \(result)")
    pthread_detach(thread)
}

/// Runs work that takes long, or waits, on a thread of its own: it is none for the cooperative pool. Work that throws
/// returns a `Result`.
public func onThread<Value: Sendable>(named name: String, _ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { waiting in startThread(named: name) { waiting.resume(returning: body()) } }
}
