/// Why a tokenizer could not be loaded or could not encode.
public struct TokenizerError: Error, Equatable, CustomStringConvertible {
    /// The file at fault, or nil when the text given to an intact tokenizer is.
    public let file: String?
    /// What is wrong with it, in one line.
    public let reason: String

    init(file: String? = nil, reason: String) {
        self.file = file
        self.reason = reason
    }

    /// `FILE: reason`, one line.
    public var description: String {
        guard let file else { return "tokenizer: \(reason)" }
        return "\(file): \(reason)"
    }
}
