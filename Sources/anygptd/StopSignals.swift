import Dispatch
import Foundation
import Synchronization

/// SIGTERM and SIGINT as something to wait for. A second signal ends the process at once, for whoever is impatient.
final class StopSignals: Sendable {
    private struct State {
        var received: String?
        var waiting: CheckedContinuation<String, Never>?
        var isServing = false
    }

    private let state = Mutex(State())
    /// Kept alive as long as the process waits for signals.
    ///
    /// Invariant (of the unchecked isolation): written once, in `init`, and only held afterwards.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init() {
        // The default action would end the process before anybody is told goodbye.
        let numbers: [(Int32, String)] = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")]
        sources = numbers.map { number, _ in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number)
        }
        for (source, (_, name)) in zip(sources, numbers) {
            source.setEventHandler { [self] in receive(name) }
            source.resume()
        }
    }

    /// Waits for the first signal; gives its name.
    func first() async -> String {
        await withCheckedContinuation { continuation in
            let received = state.withLock { state in
                state.isServing = true
                if state.received == nil { state.waiting = continuation }
                return state.received
            }
            if let received { continuation.resume(returning: received) }
        }
    }

    private func receive(_ name: String) {
        let (waiting, isFirst, isServing) = state.withLock { state in
            defer {
                state.received = name
                state.waiting = nil
            }
            return (state.waiting, state.received == nil, state.isServing)
        }
        guard isFirst, isServing else { exit(isFirst ? 0 : 1) }
        waiting?.resume(returning: name)
    }
}
