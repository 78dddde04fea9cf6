internal import CPulse

/// The thread of libpulse's on which everything happens that the server has to tell.
///
/// Invariant (of the unchecked conformance): the pointer is set once and stays valid until `deinit`; what it points to is
/// only used under its own lock.
final class Mainloop: @unchecked Sendable {
    private let loop: OpaquePointer

    /// Starts the thread.
    init() throws(PulseError) {
        guard let loop = pa_threaded_mainloop_new() else {
            throw PulseError("start the sound thread", reason: "out of memory")
        }
        pa_threaded_mainloop_set_name(loop, "pulse")
        guard pa_threaded_mainloop_start(loop) == 0 else {
            pa_threaded_mainloop_free(loop)
            throw PulseError("start the sound thread", reason: "the system gives no thread")
        }
        self.loop = loop
    }

    deinit {
        // Callbacks never hold the last reference: whoever lets go of this stands outside of the thread.
        pa_threaded_mainloop_stop(loop)
        pa_threaded_mainloop_free(loop)
    }

    /// What contexts and timers are made with.
    var api: UnsafeMutablePointer<pa_mainloop_api> { pa_threaded_mainloop_get_api(loop) }

    /// Runs a body while the thread calls nobody back. Not from a callback, where that is so already.
    func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        pa_threaded_mainloop_lock(loop)
        defer { pa_threaded_mainloop_unlock(loop) }
        return try body()
    }

    /// Wakes whoever is in `wait`.
    func signal() { pa_threaded_mainloop_signal(loop, 0) }

    /// Waits for a `signal`; inside of `withLock`, which is released meanwhile.
    func wait() { pa_threaded_mainloop_wait(loop) }
}
