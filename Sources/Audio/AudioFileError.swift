/// A file that could not be read or written as audio.
public struct AudioFileError: Error, Equatable, CustomStringConvertible {
    /// What was being done.
    public enum Operation: String, Sendable {
        case read, write
    }

    /// What was being done.
    public let operation: Operation
    /// The file.
    public let path: String
    /// Why not.
    public let reason: String

    /// A failure with a file.
    public init(operation: Operation, path: String, reason: String) {
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    /// The file and the reason.
    public var description: String { "cannot \(operation.rawValue) \(path): \(reason)" }
}
