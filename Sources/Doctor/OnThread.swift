import Compute

/// Runs work that takes long, or waits, on a thread of its own.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { waiting in
        startThread(named: "doctor") { waiting.resume(returning: body()) }
    }
}
