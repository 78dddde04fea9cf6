/// What a caller can ask of a SEED tokenizer that it cannot do: ids come from outside.
public enum SEEDError: Error, Equatable, CustomStringConvertible {
    /// An id that the codebook does not have.
    case unknownCode(id: Int32, codes: Int)
    /// A picture is always made of the same number of ids.
    case wrongCount(Int, expected: Int)
    /// A folder, or the description in it, that is not a SEED tokenizer's.
    case unsuitableFolder(path: String, reason: String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .unknownCode(let id, let codes): "picture token \(id) is not one of the \(codes) of the codebook"
        case .wrongCount(let count, let expected): "a picture has \(expected) tokens, not \(count)"
        case .unsuitableFolder(let path, let reason): "\(path): \(reason)"
        }
    }
}
