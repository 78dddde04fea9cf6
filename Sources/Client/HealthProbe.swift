import Foundation
import HTTP
import Wire

/// Asks a daemon's `/healthz` how it is.
public enum HealthProbe {
    /// Why there is no answer.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The URL is not `http[s]://host[:port]`.
        case badURL(String)
        /// Nobody answers.
        case unreachable(url: String, reason: String)
        /// Somebody answers, but not as a daemon does.
        case notADaemon(url: String, reason: String)

        /// One line for a terminal.
        public var description: String {
            switch self {
            case .badURL(let url): "\(url) is not a URL such as http://127.0.0.1:8787"
            case .unreachable(let url, let reason): "no daemon answers at \(url): \(reason)"
            case .notADaemon(let url, let reason): "what answers at \(url) is not the daemon: \(reason)"
            }
        }
    }

    /// A longer answer is not a daemon's.
    private static let longestAnswer = 1 << 16

    /// Asks once.
    ///
    /// - Parameters:
    ///   - url: `http://host[:port]` or `https://host[:port]`.
    ///   - trust: a file of certificates in PEM that are trusted beside the system's.
    ///   - timeout: for connecting, and for nothing to come.
    public static func ask(
        _ url: String, trust: String? = nil, timeout: Duration = .seconds(3)
    ) async throws(Failure) -> Health {
        guard let parts = URLComponents(string: url), ["http", "https"].contains(parts.scheme?.lowercased()),
            parts.host?.isEmpty == false, parts.port.map({ (1...65_535).contains($0) }) ?? true
        else { throw .badURL(url) }
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        let transfer = HTTPTransfer(
            url: base + "/healthz", trust: trust, usesProxies: false, connecting: timeout, silence: timeout)
        let answer: (status: Int, body: [UInt8])
        do {
            answer = try await transfer.bytes(atMost: longestAnswer)
        } catch  where error.isAnswered {
            throw .notADaemon(url: url, reason: error.reason)
        } catch {
            throw .unreachable(url: url, reason: error.reason)
        }
        guard answer.status == 200 else {
            throw .notADaemon(url: url, reason: "it answers /healthz with \(answer.status)")
        }
        do {
            return try Health(parsing: answer.body)
        } catch {
            throw .notADaemon(url: url, reason: error.message)
        }
    }
}
