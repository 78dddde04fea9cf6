import ArgumentParser

/// The command-line tool: what a person does with the daemon and its models by hand.
@main struct AnyGPTCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anygpt",
        abstract: "Talks to the daemon, and looks after its models.",
        subcommands: [
            TalkCommand.self,
            HealthCommand.self,
        ])
}
