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
        let settings: Configuration
        do {
            settings = try Configuration.load(path: config)
        } catch {
            Self.fail("\(error)")
        }
        let logger = Self.logger(settings.log.level)
        let stop = StopSignals()
        do {
            // A signal during the loading ends it at once: there is nothing to say goodbye to yet.
            let daemon = try await Daemon(settings, logger: logger)
            let name = await stop.first()
            logger.notice("received \(name)")
            await daemon.shutdown()
        } catch {
            Self.fail("\(error)")
        }
    }

    private static func logger(_ level: Configuration.Log.Level) -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "anygptd")
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }

    /// One line for the person who started it, and a failure for the service manager.
    private static func fail(_ message: String) -> Never {
        FileHandle.standardError.write(Data("anygptd: \(message)\n".utf8))
        Foundation.exit(1)
    }
}
