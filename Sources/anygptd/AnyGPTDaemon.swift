import ArgumentParser
import Foundation
import Logging
import Server

/// `anygptd --config config.toml`: loads, serves, and ends in order when told to.
@main
struct AnyGPTDaemon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anygptd", abstract: "Holds live voice conversations with AnyGPT over WebSockets.",
        version: Daemon.version)

    @Option(help: "The configuration, in TOML. Every key is described in the config.toml that comes with the daemon.")
    var config = "config.toml"

    func run() async throws {
        do {
            let manager = try ServiceManager.takeFromEnvironment()
            let settings = try Configuration.load(path: config)
            let logger = Self.logger(settings.log.level)
            let stop = StopSignals()
            // A signal during the loading ends it at once: there is nothing to say goodbye to yet.
            let daemon = try await Daemon(settings, manager: manager, logger: logger)
            let name = await stop.first()
            logger.notice("received \(name)")
            await daemon.shutdown()
        } catch {
            Self.fail(error)
        }
    }

    private static func logger(_ level: Configuration.Log.Level) -> Logger {
        if JournalLogHandler.isConnected {
            LoggingSystem.bootstrap { _ in JournalLogHandler() }
        } else {
            LoggingSystem.bootstrap(StreamLogHandler.standardError)
        }
        var logger = Logger(label: "anygptd")
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }

    /// A line for the person who started it, and a status for the service manager.
    private static func fail(_ error: any Error) -> Never {
        let status = (error as? DaemonFailure)?.status ?? .configuration
        let priority = JournalLogHandler.isConnected ? JournalLogHandler.prefix(.error) : ""
        for line in "\(error)".split(separator: "\n") {
            try? FileHandle.standardError.write(contentsOf: Data("\(priority)anygptd: \(line)\n".utf8))
        }
        Foundation.exit(status.rawValue)
    }
}
