import ArgumentParser
import Foundation

/// The command-line tool: what a person does with the daemon and its models by hand.
@main struct AnyGPTCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anygpt",
        abstract: "Talks to the daemon, and looks after its models.",
        subcommands: [
            TalkCommand.self,
            AskCommand.self,
            HealthCommand.self,
            VerifyCommand.self,
            DoctorCommand.self,
            PullCommand.self,
            InspectCommand.self,
            ConvertCommand.self,
            BenchCommand.self,
        ])

    /// Runs a command. One that makes no sense exits with 2, whether the parser finds that out or the command does.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let refusal as Refusal {
            refuse("anygpt: \(refusal)")
        } catch let error where exitCode(for: error) == .validationFailure {
            refuse(fullMessage(for: error))
        } catch {
            exit(withError: error)
        }
    }

    private static func refuse(_ message: String) -> Never {
        Terminal.complain(message)
        Foundation.exit(2)
    }
}

/// Why a command cannot be carried out as it was given; one line.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
