import Tokenizers

/// What a model is asked for before it has been taught to converse (AnyGPT-base): one instruction, one input, no system
/// prompt.
///
/// `generate_prompt_input` in `anygpt/src/m_utils/prompter.py`, which takes one of some hundred instructions at random.
/// Here each task has one of those, so that equal requests are equal prompts.
public enum BaseTask: String, Sendable, CaseIterable {
    /// Text in, its speech out.
    case readAloud = "text to speech"
    /// Text in, image out.
    case drawImage = "text to image"
    /// Text in, music out.
    case composeMusic = "text to music"
    /// Speech in, its words out.
    case transcription = "speech to text"
    /// Image in, its description out.
    case describeImage = "image to text"
    /// Music in, its description out.
    case describeMusic = "music to text"

    /// The instruction that stands before the input.
    public var instruction: String {
        switch self {
        case .readAloud: "Would you kindly read this text out loud so that I can hear it?"
        case .drawImage: "Turn these words into a graphic image."
        case .composeMusic: "Create a musical piece that captures the essence of this caption."
        case .transcription: "Please transcribe this speech into written text."
        case .describeImage: "Describe the scene in this picture."
        case .describeMusic: "Listen to the music and describe the mood it evokes."
        }
    }

    /// Whether the input is text; else it is the string of a modality's tokens.
    var takesText: Bool { start != .open }

    /// What the answer begins with: text that is asked for in a modality is nothing but that. The reference leaves the mark to
    /// the model, whose training examples all have it there.
    public var start: AnswerStart {
        switch self {
        case .readAloud: .speech
        case .drawImage: .image
        case .composeMusic: .music
        case .transcription, .describeImage, .describeMusic: .open
        }
    }
}

extension PromptTemplate {
    /// The prompt of a base model's task.
    ///
    /// - Parameters:
    ///   - input: text as it is, anything else as `text(of:_:)` writes its codes.
    ///   - instruction: other words than the task's own.
    public func baseText(_ task: BaseTask, _ input: String, instruction: String? = nil) -> String {
        let marked = task.takesText ? "This is input: \(input)" : input
        return "\(human): \(instruction ?? task.instruction) \(marked)\(endOfMessage) \(assistant):"
    }

    /// The ids of a base model's prompt, up to where the answer begins.
    public func baseIds(
        _ task: BaseTask, _ input: String, instruction: String? = nil
    ) throws(TokenizerError) -> [Int32] {
        try tokenizer.encode(baseText(task, input, instruction: instruction) + task.start.mark)
    }

    /// The ids of the prompt for a transcription before the first speech code, up to and including `<sosp>`.
    func baseSpeechOpening() throws(TokenizerError) -> [Int32] {
        try tokenizer.encode("\(human): \(BaseTask.transcription.instruction) <sosp>")
    }

    /// The ids of the prompt for a transcription behind the last speech code.
    func baseSpeechClosing() throws(TokenizerError) -> [Int32] {
        [vocabulary.speech.end]
            + (try tokenizer.encode("\(endOfMessage) \(assistant):", after: vocabulary.speech.end))
    }
}
