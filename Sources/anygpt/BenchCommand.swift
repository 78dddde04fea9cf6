import ArgumentParser

/// `anygpt bench`: how fast the networks are on this machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures the networks on this machine.",
        subcommands: [BenchImageCommand.self, BenchMusicCommand.self, BenchSeamCommand.self])
}
