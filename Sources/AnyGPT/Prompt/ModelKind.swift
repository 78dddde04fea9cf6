public import Foundation

/// What a backbone has been taught.
public enum ModelKind: String, Sendable, CaseIterable {
    /// To converse, as AnyGPT-chat.
    case chat
    /// To turn one modality into text, or text into one modality, as AnyGPT-base: see `BaseTask`.
    case base

    /// What the name of a model's folder says: a base model has the word "base" in it (`AnyGPT-base`,
    /// `AnyGPT-base-int8`). Nothing inside the published folders tells the two apart.
    public init(folder: URL) {
        let words = folder.lastPathComponent.lowercased().split { !$0.isLetter }
        self = words.contains("base") ? .base : .chat
    }

    /// What it has been taught, for people.
    public var taught: String {
        switch self {
        case .chat: "to converse"
        case .base: "single tasks, not to converse"
        }
    }
}
