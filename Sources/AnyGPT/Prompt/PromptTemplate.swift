import Tokenizers

/// The chat template: how a conversation is written for the model, as text and as ids.
///
/// `Conversation.get_prompt` in `anygpt/src/m_utils/conversation.py`:
///
///     SYSTEM
///     [Human]: MESSAGE<eoh>
///     [MMGPT]: ANSWER<eos>
///     [Human]: MESSAGE<eoh>
///     [MMGPT]:
///
/// A spoken turn is cut into three: what comes before the first word, the speech codes as they are heard, and what
/// comes after the last. All cuts are behind added tokens, so the parts' ids are those of the whole, and a later turn's
/// ids simply follow what is in the cache.
public struct PromptTemplate: Sendable {
    /// A message and, when there has been one, the assistant's answer to it.
    public struct Turn: Sendable, Equatable {
        /// What the person said or wrote, with its request; see `PromptTask.message`.
        public var message: String
        /// What the assistant answered, without the mark that ends it; nil for the turn that is to be answered.
        public var answer: String?

        /// A turn.
        public init(message: String, answer: String? = nil) {
            self.message = message
            self.answer = answer
        }
    }

    /// The person's name, `[Human]`.
    public let human = "[Human]"
    /// The assistant's name, `[MMGPT]` or `[AnyGPT]`.
    public let assistant: String
    /// What ends a message, `<eoh>`.
    public let endOfMessage = "<eoh>"
    /// What ends an answer, `<eos>` or `<eom>`.
    public let endOfAnswer: String
    /// The first line of a conversation.
    public let systemPrompt: String

    let tokenizer: LlamaTokenizer
    let vocabulary: ModalityVocabulary

    /// The template for a model.
    ///
    /// - Parameter systemPrompt: other words than those the model was trained with.
    public init(tokenizer: LlamaTokenizer, vocabulary: ModalityVocabulary, systemPrompt: String? = nil) {
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        let name = vocabulary.assistant.rawValue
        assistant = "[\(name)]"
        endOfAnswer = vocabulary.assistant == .anygpt ? "<eom>" : "<eos>"
        self.systemPrompt =
            systemPrompt
            ?? "You are an AI assistant named \(name) who can understand and generate multimodal content, "
            + "including text, speech, images and audio."
    }

    // MARK: Text

    /// A whole conversation as text. After the last turn, when it has no answer yet, comes what `start` says.
    public func text(_ turns: [Turn], start: AnswerStart = .open) -> String {
        var text = systemPrompt + "\n"
        for (index, turn) in turns.enumerated() {
            text += messageText(turn.message)
            if let answer = turn.answer {
                text += " \(answer)\(endOfAnswer)"
                if index < turns.count - 1 { text += "\n" }
            } else {
                precondition(index == turns.count - 1, "only the last turn can be without an answer")
                text += start.mark
            }
        }
        return text
    }

    private func messageText(_ message: String) -> String {
        "\(human): \(message)\(endOfMessage)\n\(assistant):"
    }

    /// Codes as text: `<sosp><🗣️7><🗣️12><eosp>`, `modality_tokens_to_string` in `anything2token.py`.
    ///
    /// - Parameter codes: codes in the order of their tokens; music frame by frame, level k's codes counted from
    ///   k times the size of a level.
    public func text(of codes: some Sequence<Int32>, _ modality: Modality) -> String {
        guard let block = vocabulary.block(modality) else { preconditionFailure("the model has no \(modality) codes") }
        let ids = [block.start] + codes.map(block.id(ofCode:)) + [block.end]
        return ids.map { tokenizer.token(of: $0) ?? "" }.joined()
    }

    // MARK: Ids

    /// The ids of a turn up to where the answer begins.
    ///
    /// - Parameters:
    ///   - isFirst: whether it begins the conversation; else it follows the mark that ended the last answer.
    ///   - start: what the answer is made to begin with.
    public func ids(
        message: String, isFirst: Bool, start: AnswerStart = .open
    ) throws(TokenizerError) -> [Int32] {
        let text = messageText(trimmed(message)) + start.mark
        return try isFirst
            ? tokenizer.encode("\(systemPrompt)\n\(text)")
            : tokenizer.encode("\n\(text)", after: vocabulary.endOfAnswer)
    }

    /// The ids of a spoken turn before the first speech code, up to and including `<sosp>`.
    public func spokenTurnOpening(isFirst: Bool) throws(TokenizerError) -> [Int32] {
        let text = "\(human): <sosp>"
        return try isFirst
            ? tokenizer.encode("\(systemPrompt)\n\(text)")
            : tokenizer.encode("\n\(text)", after: vocabulary.endOfAnswer)
    }

    /// The ids of a spoken turn after the last speech code: from `<eosp>` to where the answer begins.
    public func spokenTurnClosing(
        task: PromptTask = .voiceChat, start: AnswerStart = .open
    ) throws(TokenizerError) -> [Int32] {
        let request = task.request.map { " \($0)" } ?? ""
        let text = "\(request)\(endOfMessage)\n\(assistant):\(start.mark)"
        return [vocabulary.speech.end] + (try tokenizer.encode(text, after: vocabulary.speech.end))
    }

    /// White space at the ends goes, as the reference strips a message before it is put into the conversation.
    private func trimmed(_ message: String) -> String {
        let scalars = message.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
