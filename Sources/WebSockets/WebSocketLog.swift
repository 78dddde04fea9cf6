import CWebSockets
import Synchronization

/// What libwebsockets has to say. It has one log for the whole process; until `route` is called its errors and
/// warnings go nowhere.
public enum WebSocketLog {
    /// How serious a line is.
    public enum Level: Int32, Sendable, CaseIterable {
        /// Something failed.
        case error = 1
        /// Something is odd, such as a handshake that was broken off.
        case warning = 2
        /// What may be good to know.
        case notice = 4
        /// How connections come and go, for debugging.
        case info = 8
    }

    private static let sink = Mutex<(@Sendable (Level, String) -> Void)?>(nil)

    /// Sends lines of at least this seriousness to `sink`, which is called on service threads and must not block.
    public static func route(from level: Level, to sink: @escaping @Sendable (Level, String) -> Void) {
        Self.sink.withLock { $0 = sink }
        apply(mask: Level.allCases.filter { $0.rawValue <= level.rawValue }.reduce(0) { $0 | $1.rawValue })
    }

    /// libwebsockets writes to standard error by default, which belongs to the program.
    static func silence() { _ = silenced }

    private static let silenced: Void = {
        if sink.withLock({ $0 == nil }) { apply(mask: 0) }
    }()

    private static func apply(mask: Int32) {
        lws_set_log_level(mask) { level, line in
            guard let line, let level = Level(rawValue: level) else { return }
            var text = String(cString: line)
            while text.last?.isNewline == true { text.removeLast() }
            WebSocketLog.sink.withLock { $0 }?(level, text)
        }
    }
}
