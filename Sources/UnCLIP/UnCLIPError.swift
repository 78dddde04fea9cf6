/// Why an unCLIP folder, or what was asked of it, could not be used.
public struct UnCLIPError: Error, Equatable, CustomStringConvertible {
    /// What was tried: "load", "draw" …
    public let operation: String
    /// What it was tried on: a file, an input.
    public let subject: String
    /// What was expected, and what was found.
    public let reason: String

    /// An error from its three parts.
    public init(_ operation: String, _ subject: String, _ reason: String) {
        self.operation = operation
        self.subject = subject
        self.reason = reason
    }

    /// One line for a person.
    public var description: String { "cannot \(operation) \(subject): \(reason)" }
}
