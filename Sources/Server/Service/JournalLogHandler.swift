import Foundation
import Logging

/// Log lines for systemd's journal: each begins with its priority (sd-daemon(3)), and has no time, which the journal
/// writes down itself.
public struct JournalLogHandler: LogHandler {
    /// Whether standard error goes to the journal.
    public static let isConnected = isJournal(ProcessInfo.processInfo.environment["JOURNAL_STREAM"])

    public var logLevel = Logger.Level.info
    public var metadata = Logger.Metadata()

    /// A handler that writes to standard error.
    public init() {}

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let text = Self.line(event.level, event.message, metadata.merging(event.metadata ?? [:]) { $1 })
        // A journal that was restarted may have let go of its end: the conversations go on.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    static func line(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) -> String {
        let fields = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        // Each line of a message counts as one of its own.
        return "\(message)\(fields)".split(separator: "\n").map { prefix(level) + $0 + "\n" }.joined()
    }

    /// A level as syslog counts them.
    public static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }

    /// - Parameter stream: the journal's device and inode, as systemd writes them.
    private static func isJournal(_ stream: String?) -> Bool {
        var status = stat()
        guard let stream, fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
