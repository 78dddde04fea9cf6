/// A written question, with what is shown and played before it as codes in the order of their tokens.
struct WrittenTurn: Sendable {
    var text: String
    var picture: [Int32]
    var music: [Int32]
    /// The caller's name for it.
    var item: String

    /// What a chat model reads. Without a text of its own it asks for a description.
    func message(_ template: PromptTemplate) -> String {
        var message = text
        if !music.isEmpty {
            let played = template.text(of: music, .music)
            message = message.isEmpty ? PromptTask.describeMusic.message(played) : "\(played) \(message)"
        }
        if !picture.isEmpty {
            let shown = template.text(of: picture, .image)
            message = message.isEmpty ? PromptTask.describeImage.message(shown) : "\(shown) \(message)"
        }
        return message
    }

    /// What a base model reads when it is asked for something.
    func baseIds(for form: AnswerForm, _ template: PromptTemplate) throws -> [Int32] {
        switch form {
        case .words:
            // The text beside what is described takes the place of the instruction.
            let instruction = text.isEmpty ? nil : text
            switch (picture.isEmpty, music.isEmpty) {
            case (false, true):
                return try template.baseIds(
                    .describeImage, template.text(of: picture, .image), instruction: instruction)
            case (true, false):
                return try template.baseIds(.describeMusic, template.text(of: music, .music), instruction: instruction)
            case (false, false): throw BaseModelRefusal.severalInputs
            case (true, true): throw BaseModelRefusal.conversation
            }
        case .transcript: throw BaseModelRefusal.noSpeech
        case .reading: return try template.baseIds(.readAloud, lonelyText())
        case .picture: return try template.baseIds(.drawImage, lonelyText())
        case .music: return try template.baseIds(.composeMusic, lonelyText())
        }
    }

    private func lonelyText() throws(BaseModelRefusal) -> String {
        guard !text.isEmpty, picture.isEmpty, music.isEmpty else { throw .noTextAlone }
        return text
    }
}

/// Why a base model is not asked for something: it was taught single tasks, each with one input.
public enum BaseModelRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// A reply is wanted.
    case conversation
    /// Both a picture and music are to be described.
    case severalInputs
    /// A transcript is wanted of something else than speech.
    case noSpeech
    /// Something is to be made of something else than a written text alone.
    case noTextAlone

    /// One line for a person.
    public var description: String {
        switch self {
        case .conversation: "a base model holds no conversation"
        case .severalInputs: "a base model describes one picture or one piece of music at a time"
        case .noSpeech: "what is transcribed is speech, and the last question was written"
        case .noTextAlone: "a base model reads aloud, draws and composes from a written text alone"
        }
    }
}
