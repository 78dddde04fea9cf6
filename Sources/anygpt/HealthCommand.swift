import ArgumentParser
import Client
import Foundation
import Wire

/// `anygpt health`: whether a daemon answers.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Asks a daemon how it is.",
        discussion: "Exits with 0 when it serves, with 1 when it does not.")

    @OptionGroup var address: DaemonAddress

    @Option(help: ArgumentHelp("How long to wait for one to answer.", valueName: "seconds"))
    var wait = 0.0

    func validate() throws {
        guard wait.isFinite, (0...86_400).contains(wait) else {
            throw ValidationError("--wait takes 0 to 86400 seconds.")
        }
    }

    func run() async throws {
        let daemon = try address.endpoint(.health)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(wait)
        while true {
            let isLastTry = clock.now >= end
            do {
                let health = try await HealthProbe.ask(daemon.url, trust: daemon.trust)
                if health.status == .ok || isLastTry {
                    Terminal.say(Self.line(health))
                    if health.status != .ok { throw ExitCode(1) }
                    return
                }
            } catch let failure as HealthProbe.Failure {
                if case .badURL = failure { throw Refusal("\(failure)") }
                if isLastTry {
                    Terminal.complain("anygpt health: \(failure)")
                    throw ExitCode(1)
                }
            }
            try await clock.sleep(until: min(end, clock.now + .milliseconds(250)))
        }
    }

    private static func line(_ health: Health) -> String {
        let minutes = Int(health.uptimeSeconds) / 60
        let time = minutes > 0 ? "\(minutes) min" : "\(Int(health.uptimeSeconds)) s"
        let sessions = health.sessions == 1 ? "1 session" : "\(health.sessions) sessions"
        return "\(health.status.rawValue): anygptd \(health.version), model \(health.model), up \(time), \(sessions)"
    }
}
