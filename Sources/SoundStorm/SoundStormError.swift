/// Why a SoundStorm checkpoint, its description or what was given to it could not be used.
public struct SoundStormError: Error, Equatable, CustomStringConvertible {
    /// What was tried: "read", "load", "generate" …
    public let operation: String
    /// What it was tried on: a file, a tensor, an input.
    public let subject: String
    /// What was expected, and what was found.
    public let reason: String

    /// One line for a person.
    public var description: String { "cannot \(operation) \(subject): \(reason)" }

    /// An error from its three parts.
    public init(_ operation: String, _ subject: String, _ reason: String) {
        self.operation = operation
        self.subject = subject
        self.reason = reason
    }
}
