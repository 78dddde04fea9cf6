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

    public var description: String { "cannot \(operation.rawValue) \(path): \(reason)" }
}
