/// What the person asks for beside what they say or write: the sentence that the reference puts behind the input.
///
/// `task_prompts` in `anygpt/src/m_utils/prompter.py`, word for word, oddities included: the model knows no others.
public enum PromptTask: String, Sendable, CaseIterable {
    /// Say something, get a transcript, a reply and its speech.
    case voiceChat = "Speech-Instruction"
    /// The same in the words of an earlier training round.
    case voiceChatInWords = "Speech-Instruction-Speech"
    /// Say something, get a reply in text.
    case voiceToText = "Speech-Instruction-Text"
    /// Write something, get a reply.
    case textChat = "customized"
    /// The same in the words of an earlier training round.
    case textChatInWords = "Text-Instruction"
    /// Speech in, its words out.
    case transcription = "Speech-to-Text"
    /// Text in, its speech out.
    case readAloud = "Text-to-Speech"
    /// Text in, music out.
    case composeMusic = "Text-to-Music"
    /// Music in, its description out.
    case describeMusic = "Music-to-Text"
    /// Image in, its description out.
    case describeImage = "Image-to-Text Caption"
    /// Image in, its description out, in other words.
    case captionImage = "Image Captioning"
    /// Text in, image out.
    case drawImage = "Text-to-Image Generation"

    /// The sentence behind the input, nil when there is none.
    public var request: String? {
        switch self {
        case .voiceChat: "Please recognize the voice command and give reply and voice"
        case .voiceChatInWords:
            "Please interpret the user's voice commands, provide text responses, "
                + "and generate corresponding voice replies"
        case .voiceToText: "Please interpret the user's voice commands, provide text responses."
        case .textChat: nil
        case .textChatInWords: "Please interpret the user's text input, create a textual response."
        case .transcription: "Please transcribe the given speech."
        case .readAloud: "Please read the given text."
        case .composeMusic: "Please compose a piece of music from the given text."
        case .describeMusic: "Please interpret the given music and provide a textual description."
        case .describeImage: "Please describe the picture briefly."
        case .captionImage: "Please provide an accurate and concisedescription of the given image."
        case .drawImage: "Please generation an image."
        }
    }

    /// The message that carries an input: text as it is, anything else as the string of its tokens.
    public func message(_ input: String) -> String {
        var input = input
        if self == .drawImage, let last = input.last, !".!?".contains(last) { input += "." }
        return request.map { "\(input) \($0)" } ?? input
    }
}

/// What the assistant's answer is made to begin with.
public enum AnswerStart: Sendable, Equatable {
    /// The model decides.
    case open
    /// The transcript of what was said: the answer is the chain transcript, reply, speech.
    case transcript
    /// Speech, without any text.
    case speech
    /// An image.
    case image
    /// Music.
    case music
    /// This text, which the answer goes on from.
    case text(String)

    /// What stands behind the assistant's colon; empty when the model decides.
    var mark: String {
        switch self {
        case .open: ""
        case .transcript: " <-Ins->"
        case .speech: " <sosp>"
        case .image: " <soim>"
        case .music: " <somu>"
        case .text(let text): " \(text)"
        }
    }
}
