/// How far a run over many files is.
public struct FileProgress: Sendable {
    /// The file that is being worked on.
    public let file: String
    /// Bytes that are done, of all files, and how many there are.
    public let done: Int
    public let total: Int
}
