/// What a caller can ask of a model that it cannot do: token ids and lengths come from outside.
public enum LlamaError: Error, Equatable, CustomStringConvertible {
    /// A token id that the vocabulary does not have.
    case unknownToken(id: Int32, vocabulary: Int)
    /// More positions than the cache (at most the model's `max_position_embeddings`) has.
    case contextExceeded(wanted: Int, capacity: Int)
    /// A search that cannot be made, with the reason.
    case unsuitableSearch(String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .unknownToken(let id, let vocabulary):
            "token id \(id) is not one of the model's \(vocabulary)"
        case .contextExceeded(let wanted, let capacity):
            "a conversation of \(wanted) tokens is longer than the \(capacity) that fit"
        case .unsuitableSearch(let reason):
            "cannot search: \(reason)"
        }
    }
}
