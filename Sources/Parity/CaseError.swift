/// Why a folder could not be verified: it is no golden case, or a file of it is missing or is not what it should be.
public struct CaseError: Error, Equatable, CustomStringConvertible {
    /// What was tried: "read", "verify" …
    public let operation: String
    /// The file or folder at fault.
    public let subject: String
    /// What is wrong with it.
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
