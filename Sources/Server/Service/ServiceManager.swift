import Foundation
import WebSockets

/// What the service manager that started this process has told it through its environment: where it wants to be
/// notified, how often it wants to hear that the service lives, and which sockets it has opened for it.
///
/// The protocol is systemd's, and small: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3). Without a manager all
/// of it is empty.
public struct ServiceManager: Sendable {
    /// Where the manager is told how the service is.
    public let notifySocket: NotifySocket?
    /// The manager ends a service of which it has heard nothing for so long.
    public let watchdogInterval: Duration?
    /// The descriptor of the socket that listens already.
    public let listeningSocket: Int32?

    /// No manager.
    public static let none = ServiceManager(notifySocket: nil, watchdogInterval: nil, listeningSocket: nil)

    /// Sets up what a test wants.
    public init(notifySocket: NotifySocket?, watchdogInterval: Duration?, listeningSocket: Int32?) {
        self.notifySocket = notifySocket
        self.watchdogInterval = watchdogInterval
        self.listeningSocket = listeningSocket
    }

    /// Reads the environment, and takes what was meant for this process out of it: programs that are started from here
    /// must not speak for it. To be called once, before there are other threads that read the environment.
    public static func takeFromEnvironment() throws(DaemonFailure) -> ServiceManager {
        let variables = [
            "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
        ]
        var values: [String: String] = [:]
        for name in variables {
            values[name] = getenv(name).map { String(cString: $0) }
            unsetenv(name)
        }
        return try ServiceManager(values, process: getpid())
    }

    /// - Parameters:
    ///   - environment: the variables.
    ///   - process: this process; what is meant for another one is passed over.
    init(_ environment: [String: String], process: pid_t) throws(DaemonFailure) {
        func number(_ name: String) throws(DaemonFailure) -> Int64? {
            guard let text = environment[name] else { return nil }
            guard let number = Int64(text), number >= 0 else {
                throw .configuration("\(name)=\(text) in the environment is not a number")
            }
            return number
        }
        func isMeant(_ name: String) throws(DaemonFailure) -> Bool { try number(name).map { $0 == process } ?? true }

        if let name = environment["NOTIFY_SOCKET"], !name.isEmpty {
            notifySocket = try NotifySocket(name)
        } else {
            notifySocket = nil
        }
        if let microseconds = try number("WATCHDOG_USEC"), microseconds > 0, try isMeant("WATCHDOG_PID") {
            watchdogInterval = .microseconds(microseconds)
        } else {
            watchdogInterval = nil
        }
        guard let sockets = try number("LISTEN_FDS"), sockets > 0, try number("LISTEN_PID") == Int64(process) else {
            listeningSocket = nil
            return
        }
        guard sockets == 1 else {
            throw .configuration(
                "the service manager passed \(sockets) listening sockets, and one can be served: leave one "
                    + "ListenStream= in anygptd.socket")
        }
        // The first descriptor behind standard input, output and error.
        listeningSocket = 3
    }

    /// The socket that connections come from: the manager's, or one of our own at the configured address.
    func openSocket(_ server: Configuration.Server) throws(DaemonFailure) -> ListeningSocket {
        do throws(WebSocketError) {
            guard let listeningSocket else {
                return try ListeningSocket(address: server.host, port: UInt16(server.port))
            }
            return try ListeningSocket(adopting: listeningSocket)
        } catch {
            throw .listening(error)
        }
    }
}
