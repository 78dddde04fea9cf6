import Foundation
import WebSockets

/// Why the daemon does not serve: one line that says what to do, and the exit status that a service manager decides by.
public struct DaemonFailure: Error, Equatable, CustomStringConvertible {
    /// The exit statuses, from sysexits.h. `anygptd.service` restarts after the unavailable address alone: the others
    /// stay as they are until a person changes something.
    public enum Status: Int32, Sendable {
        /// The models are missing, damaged, or don't fit each other.
        case models = 66
        /// The address to listen on is taken, or not this machine's.
        case address = 69
        /// The system does not allow it.
        case permission = 77
        /// The configuration, or what the service manager passed on, is wrong.
        case configuration = 78
    }

    /// How the process ends.
    public let status: Status
    /// One line for a person.
    public let description: String

    static func configuration(_ message: String) -> DaemonFailure {
        DaemonFailure(status: .configuration, description: message)
    }

    /// What loading the models threw.
    static func models(_ error: any Error) -> DaemonFailure {
        if let failure = error as? DaemonFailure { return failure }
        return DaemonFailure(status: .models, description: "the models cannot be loaded: \(error)")
    }

    /// What the socket threw.
    static func listening(_ error: WebSocketError) -> DaemonFailure {
        guard case .bind(_, let port, let code) = error else { return .configuration("\(error)") }
        let (status, advice): (Status, String) =
            switch code {
            case EADDRINUSE:
                (
                    .address,
                    "another program listens there (ss -ltnp \"sport = :\(port)\" shows it): end it, or choose another "
                        + "server.port"
                )
            case EACCES, EPERM:
                (.permission, "choose a server.port from 1024 on, or let systemd listen (anygptd.socket)")
            case EADDRNOTAVAIL: (.address, "set server.host to an address of this machine")
            default: (.address, "set server.host and server.port to where it can")
            }
        return DaemonFailure(status: status, description: "\(error): \(advice)")
    }
}
