import Compute
import Foundation
import Synchronization

/// Tells the service manager how the loading goes on, and asks it for more time as long as it really goes on.
///
/// A checkpoint of tens of gigabytes takes as long as the disk needs, for which no timeout can be written into a unit. So
/// every few seconds this looks whether the process has computed or waited for pages since the last time; if it did
/// neither, it hangs, and the manager's own timeout ends it.
final class LoadingReport: Sendable {
    /// What it asks for at a time.
    private static let request = Duration.seconds(60)
    /// Less processor time than this part of a period is not loading.
    private static let leastWork = 0.004

    private let socket: NotifySocket?
    private let end = DispatchSemaphore(value: 0)

    /// - Parameter period: how often it looks, in seconds.
    init(_ socket: NotifySocket?, period: Double = 5) {
        self.socket = socket
        guard let socket else { return }
        startThread(named: "loading-report") { [end] in
            var last = Self.progress()
            while end.wait(timeout: .now() + period) == .timedOut {
                let now = Self.progress()
                if now.seconds - last.seconds > Self.leastWork * period || now.reads > last.reads {
                    socket.send(.extendTimeout(Self.request))
                }
                last = now
            }
        }
    }

    /// Tells what is done now.
    func tell(_ what: String) { socket?.send(.status(what), .extendTimeout(Self.request)) }

    /// The loading is over.
    func finish() { end.signal() }

    /// Processor time, and pages that had to be read, until now.
    private static func progress() -> (seconds: Double, reads: Int) {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return (seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_majflt + usage.ru_inblock)
    }
}
