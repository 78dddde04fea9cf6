import Foundation

/// Why a checkpoint was refused: the file, the tensor where one can be named, and the reason.
public struct CheckpointError: Error, Equatable, CustomStringConvertible, LocalizedError {
    /// The path of the file or folder that was being read or written.
    public let file: String
    /// The full name of the tensor that is at fault; nil when the fault is not a tensor's.
    public let tensor: String?
    /// What is wrong, as the rest of a sentence that the file or the tensor begins.
    public let reason: String

    /// Describes a fault of `file`, or of one `tensor` in it.
    public init(file: String, tensor: String? = nil, reason: String) {
        self.file = file
        self.tensor = tensor
        self.reason = reason
    }

    /// `FILE: REASON` or `FILE: tensor "NAME" REASON`, on one line.
    public var description: String {
        guard let tensor else { return "\(file): \(reason)" }
        return "\(file): tensor \"\(tensor.shortened)\" \(reason)"
    }

    /// The same line for callers that know errors by Foundation's protocol.
    public var errorDescription: String? { description }
}

/// What a parser finds wrong with bytes whose file it does not know; `blaming` adds the file.
struct FormatFault: Error {
    var tensor: String?
    var reason: String

    init(_ reason: String, tensor: String? = nil) {
        self.tensor = tensor
        self.reason = reason
    }
}

/// Runs a parser and says which file its faults are of.
func blaming<Result>(
    _ file: String, _ parse: () throws(FormatFault) -> Result
) throws(CheckpointError) -> Result {
    do {
        return try parse()
    } catch {
        throw CheckpointError(file: file, tensor: error.tensor, reason: error.reason)
    }
}

extension String {
    /// Names out of a hostile file may be megabytes long or hold line breaks: what an error shows of them.
    var shortened: String {
        let visible = unicodeScalars.prefix(201).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
        var text = String(String.UnicodeScalarView(visible.prefix(200)))
        if visible.count > 200 { text += "…" }
        return text
    }
}
