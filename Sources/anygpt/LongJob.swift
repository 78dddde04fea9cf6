import ArgumentParser
import Compute
import Foundation
import Synchronization

/// Runs long work of a command on a thread of its own, with a progress bar and with Ctrl-C as its orderly end.
enum LongJob {
    /// - Parameter body: is lent what reports progress (label, done, total), which throws once the person wants to stop.
    static func run<Result: Sendable>(
        _ label: String, counting unit: ProgressBar.Unit = .bytes,
        _ body: @escaping @Sendable (_ report: @escaping @Sendable (String, Int, Int) throws -> Void) throws -> Result
    ) async throws -> Result {
        let bar = ProgressBar(label, unit)
        let stopped = Flag()
        let interrupt = Interrupt { stopped.raise() }
        defer { interrupt.cancel() }
        let shown = Task { await bar.show() }
        let result = await onThread(named: "job") {
            Swift.Result {
                try body { label, done, total in
                    bar.update(label, done, of: total)
                    if stopped.isRaised { throw Interrupted() }
                }
            }
        }
        shown.cancel()
        await shown.value
        do {
            return try result.get()
        } catch is Interrupted {
            Terminal.complain("Stopped. Run the same command again to go on where it was.")
            throw ExitCode(Interrupt.exitStatus)
        }
    }

    private struct Interrupted: Error {}

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isRaised: Bool { value.load(ordering: .relaxed) }
        func raise() { value.store(true, ordering: .relaxed) }
    }
}
