import Dispatch
import Foundation

/// Ctrl-C (and SIGTERM, and a terminal that is closed) as something that ends a conversation in order. A second one ends the process at once.
struct Interrupt {
    /// The exit status of a program that was ended by Ctrl-C.
    static let exitStatus: Int32 = 130

    private let sources: [any DispatchSourceSignal]

    /// Calls `stop` at the first signal.
    init(stop: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "interrupt")
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // From now on the default action.
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
                signal(SIGHUP, SIG_DFL)
                stop()
            }
            source.resume()
            return source
        }
    }

    /// Takes no more signals.
    func cancel() { sources.forEach { $0.cancel() } }
}
