import Logging
import Server

/// A daemon that lives for the body, and says nothing.
func withDaemon(_ configuration: Configuration, _ body: (Daemon) async throws -> Void) async throws {
    let daemon = try await Daemon(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
        try await body(daemon)
    } catch {
        await daemon.shutdown()
        throw error
    }
    await daemon.shutdown()
}
