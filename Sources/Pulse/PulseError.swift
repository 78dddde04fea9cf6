internal import CPulse

/// Why the sound server did not do what was asked of it.
public struct PulseError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was to be done: "connect to the sound server".
    public let operation: String
    /// Why it was not.
    public let reason: String

    /// One line.
    public var description: String { "cannot \(operation): \(reason)" }

    init(_ operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    /// An error number of libpulse's, negative or not.
    init(_ operation: String, code: Int32) {
        self.init(operation, reason: Self.text(code))
    }

    /// What libpulse calls an error number.
    static func text(_ code: Int32) -> String {
        pa_strerror(abs(code)).map { String(cString: $0).lowercased() } ?? "error \(code)"
    }
}
