import Tokenizers

/// What has been said, as the ids that the backbone reads: pure bookkeeping, without a model.
///
/// The log is the truth and the KV cache follows it: `ids` is what the cache must hold, and whoever edits the log
/// (a revised tail, an interruption, a deleted item, a conversation that grew too long) only says what should be there.
public struct ConversationLog: Sendable {
    /// A question and its answer.
    struct Turn: Sendable {
        /// From the person's name to where the answer begins.
        var question: [Int32]
        /// The answer with the mark that ends it; empty while there is none.
        var answer: [Int32] = []
        /// Where the answer's last run of speech codes lies in `answer`.
        var spoken: Range<Int> = 0..<0
        /// The caller's name for the question.
        var item = ""
        /// Our own name for it, which never comes again.
        var serial = 0
    }

    private let vocabulary: ModalityVocabulary
    /// What the conversation begins with, and what stands between an answer and the next question.
    private let opening: [Int32]
    private let separator: [Int32]
    /// What stands between the person's name and the first speech code, and behind the last.
    private let speechOpening: [Int32]
    private let speechClosing: [Int32]
    /// Whether what came before belongs to the next question's prompt.
    private let hasHistory: Bool
    private var turns: [Turn] = []
    private var isOpen = false
    /// The serial of the question that an answer is being made to.
    private var answering: Int?
    private var nextSerial = 0

    /// An empty conversation. `start` is what each spoken turn's answer is made to begin with.
    ///
    /// - Parameter kind: a base model's questions stand alone, each with all that it has to know, and spoken ones ask for
    ///   their transcription.
    public init(
        tokenizer: LlamaTokenizer, vocabulary: ModalityVocabulary, template: PromptTemplate, kind: ModelKind = .chat,
        task: PromptTask = .voiceChat, start: AnswerStart
    ) throws {
        guard let human = tokenizer.id(ofToken: template.human) else {
            throw VocabularyError("the token \(template.human) is missing")
        }
        self.vocabulary = vocabulary
        hasHistory = kind == .chat
        let first = try hasHistory ? template.spokenTurnOpening(isFirst: true) : template.baseSpeechOpening()
        let later = try hasHistory ? template.spokenTurnOpening(isFirst: false) : first
        guard let firstName = first.lastIndex(of: human), let laterName = later.lastIndex(of: human) else {
            throw VocabularyError("\(template.human) is no token of its own in the prompt")
        }
        opening = Array(first[..<firstName])
        separator = Array(later[..<laterName])
        speechOpening = Array(later[laterName...])
        speechClosing =
            try hasHistory
            ? template.spokenTurnClosing(task: task, start: start) : template.baseSpeechClosing()
    }

    // MARK: The whole

    /// Everything so far: what the backbone's cache must hold.
    public var ids: [Int32] {
        var ids = opening
        let turns = hasHistory ? turns[...] : turns.suffix(1)
        for (index, turn) in turns.enumerated() {
            if index > 0 { ids += separator }
            ids += turn.question
            ids += turn.answer
            // A question that nobody answers is closed like an answered one before the next begins.
            if turn.answer.isEmpty, index < turns.count - 1 { ids.append(vocabulary.endOfAnswer) }
        }
        return ids
    }

    /// What can be read before the person's first word: the conversation and the opening of a spoken turn.
    public var idsBeforeSpeech: [Int32] {
        var next = self
        next.openSpeech()
        return next.ids
    }

    /// The number of questions.
    public var turnCount: Int { turns.count }

    // MARK: Questions

    /// A spoken question begins.
    public mutating func openSpeech(item: String = "") {
        precondition(!isOpen, "a question is open already")
        append(Turn(question: speechOpening, item: item))
        isOpen = true
    }

    /// The codes of the open question so far, 0 ..< codebook size: earlier ones may have been revised.
    public mutating func setSpeech(_ codes: some Collection<Int32>) {
        precondition(isOpen, "no question is open")
        turns[turns.count - 1].question = speechOpening + codes.map(vocabulary.speech.id(ofCode:))
    }

    /// The open question is complete.
    public mutating func closeSpeech() {
        precondition(isOpen, "no question is open")
        turns[turns.count - 1].question += speechClosing
        isOpen = false
        forgetHistory()
    }

    /// The open question is forgotten.
    public mutating func dropSpeech() {
        precondition(isOpen, "no question is open")
        turns.removeLast()
        isOpen = false
    }

    /// A written question: `ids` as `PromptTemplate.ids(message:isFirst:)` makes them for a later turn, or
    /// `PromptTemplate.baseIds` for a base model.
    public mutating func append(question ids: [Int32], item: String = "") {
        precondition(!isOpen, "a spoken question is open")
        precondition(ids.starts(with: separator), "a question that does not begin as a turn does")
        append(Turn(question: Array(ids.dropFirst(separator.count)), item: item))
        forgetHistory()
    }

    /// A written question whose words depend on what is asked for: `replaceLast` brings them.
    public mutating func appendUnasked(item: String) {
        precondition(!isOpen, "a spoken question is open")
        append(Turn(question: [], item: item))
        forgetHistory()
    }

    /// Whether the last question has this name and no answer.
    public func isLast(item: String) -> Bool { canAnswer && turns.last?.item == item }

    /// The last question in other words, as `append` takes them.
    public mutating func replaceLast(question ids: [Int32]) {
        precondition(canAnswer && ids.starts(with: separator), "a question that does not begin as a turn does")
        turns[turns.count - 1].question = Array(ids.dropFirst(separator.count))
    }

    /// Whether the last question was spoken, is closed as such, and has no answer.
    public var isLastSpoken: Bool {
        guard canAnswer, let question = turns.last?.question else { return false }
        return question.starts(with: speechOpening) && question.suffix(speechClosing.count).elementsEqual(speechClosing)
    }

    /// The last question, a spoken one, ends in other words behind its last code.
    public mutating func replaceClosing(_ ids: [Int32]) {
        precondition(isLastSpoken, "the last question was not spoken")
        turns[turns.count - 1].question.removeLast(speechClosing.count)
        turns[turns.count - 1].question += ids
    }

    private mutating func append(_ turn: Turn) {
        var turn = turn
        turn.serial = nextSerial
        nextSerial += 1
        turns.append(turn)
    }

    /// What came before a complete question is not needed any more, where it belongs to no prompt.
    private mutating func forgetHistory() {
        if !hasHistory { turns.removeFirst(turns.count - 1) }
    }

    /// Removes the question of this name, with its answer. False when there is none.
    @discardableResult
    public mutating func remove(item: String) -> Bool {
        guard let index = turns.firstIndex(where: { $0.item == item }), !(isOpen && index == turns.count - 1) else {
            return false
        }
        turns.remove(at: index)
        return true
    }

    // MARK: Answers

    /// Whether the last question waits for an answer, and none is being made.
    public var canAnswer: Bool { !isOpen && answering == nil && turns.last.map { $0.answer.isEmpty } == true }

    /// An answer to the last question is being made; until `setAnswer` the next question may begin already.
    public mutating func beginAnswer() {
        precondition(canAnswer)
        answering = turns[turns.count - 1].serial
    }

    /// The answer that was begun, with the mark that ends it.
    public mutating func setAnswer(_ ids: [Int32]) {
        precondition(answering != nil, "no answer was begun")
        // Its question may have been removed meanwhile.
        let index = turns.firstIndex { $0.serial == answering }
        answering = nil
        guard let index else { return }
        var turn = turns[index]
        turn.answer = ids
        let codes = vocabulary.speech.codes
        if let last = ids.lastIndex(where: codes.contains) {
            let first = ids[..<last].lastIndex { !codes.contains($0) }.map { $0 + 1 } ?? 0
            turn.spoken = first..<last + 1
        }
        turns[index] = turn
    }

    /// The person heard only `frames` frames of the last answer's speech: the rest was never said.
    public mutating func cutAnswer(toFrames frames: Int) {
        guard let index = turns.lastIndex(where: { !$0.answer.isEmpty }) else { return }
        var turn = turns[index]
        guard frames >= 0, frames < turn.spoken.count else { return }
        turn.answer.removeSubrange(turn.spoken.lowerBound + frames..<turn.spoken.upperBound)
        turn.spoken = turn.spoken.lowerBound..<turn.spoken.lowerBound + frames
        turns[index] = turn
    }

    // MARK: Limits

    /// Drops the oldest turns until `ids` has at most `limit` ids; the last turn stays. Returns how many were dropped.
    public mutating func drop(toFit limit: Int) -> Int {
        var total = ids.count
        var dropped = 0
        while total > limit, dropped < turns.count - 1 {
            let turn = turns[dropped]
            total -= turn.question.count + max(1, turn.answer.count) + separator.count
            dropped += 1
        }
        turns.removeFirst(dropped)
        return dropped
    }
}
