/// What one look at the machine found.
public struct Finding: Sendable, Equatable, Encodable {
    /// How it stands.
    public enum State: String, Sendable, Encodable {
        /// As it should be.
        case ok
        /// It works, and could be better.
        case note
        /// It keeps the daemon from working.
        case fault
    }

    public let subject: String
    public let state: State
    /// What was found, for people.
    public let text: String
    /// What to do about it; nil when there is nothing to do.
    public let advice: String?

    static func ok(_ subject: String, _ text: String) -> Finding {
        Finding(subject: subject, state: .ok, text: text, advice: nil)
    }

    static func note(_ subject: String, _ text: String, _ advice: String) -> Finding {
        Finding(subject: subject, state: .note, text: text, advice: advice)
    }

    static func fault(_ subject: String, _ text: String, _ advice: String) -> Finding {
        Finding(subject: subject, state: .fault, text: text, advice: advice)
    }
}
