import Foundation
import Logging
import Server
import TestSupport

/// What `config.toml` says, on any free port; artifacts are kept outside of the repository.
public func shippedConfiguration() throws -> Configuration {
    let root = Golden.tests.deletingLastPathComponent()
    var configuration = try Configuration.load(path: root.appending(path: "config.toml").path)
    configuration.server.port = 0
    configuration.artifacts.folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-artifacts").path
    return configuration
}

/// A daemon that lives for the body, and says nothing.
public func withDaemon(_ configuration: Configuration, _ body: (Daemon) async throws -> Void) async throws {
    let daemon = try await Daemon(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
        try await body(daemon)
    } catch {
        await daemon.shutdown()
        throw error
    }
    await daemon.shutdown()
}
