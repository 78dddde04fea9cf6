import Compute
import Images
import Llama
import Tokenizers

/// What a conversation has to tell while it goes on.
public enum SessionEvent: Sendable, Equatable {
    /// Live speech was read up to here: frames so far, and how likely the model holds it that the turn ends now.
    case heard(frames: Int, endProbability: Float)
    /// More of the transcript, the reply, or what else an answer holds.
    case answer(AnswerEvent)
    /// Samples of the reply's speech, at the speech tokenizer's rate.
    case speech([Float])
    /// The last sample of the reply's speech was told.
    case speechEnded
    /// Samples of a piece of music, at Encodec's rate; the first come while its last tokens are not drawn yet.
    case music([Float])
    /// The last sample of a piece of music was told.
    case musicEnded
    /// A picture is being drawn: steps done, and steps in all.
    case drawing(step: Int, steps: Int)
    /// A picture is complete.
    case picture(Picture)
    /// The backbone has drawn its last token of this answer.
    case lastToken
}

/// What an answer is made of.
public enum AnswerForm: Sendable, Equatable {
    /// Text and speech, and what else the rules allow.
    case words
    /// One piece of music; see `AnswerRules.music`.
    case music
    /// One picture; see `AnswerRules.picture`.
    case picture
    /// The words of a spoken question, as text.
    case transcript
    /// The speech of a written question's own words; see `AnswerRules.reading`.
    case reading
}

/// How an answer ended.
public struct AnswerOutcome: Sendable, Equatable {
    /// Whether it ran to its own end rather than being stopped.
    public var isComplete: Bool
    /// Tokens of the conversation that it is an answer to.
    public var inputTokens: Int
    /// Tokens that the model drew.
    public var outputTokens: Int
    /// Speech codes among them.
    public var speechFrames: Int
    /// Codes of its music.
    public var musicTokens = 0
    /// The first frame of its music behind each place at which two windows meet.
    public var musicJoins: [Int] = []

    /// Tokens that are sound: speech and music.
    public var soundTokens: Int { speechFrames + musicTokens }

    /// An answer that was stopped before anything was drawn.
    public static let stopped = AnswerOutcome(isComplete: false, inputTokens: 0, outputTokens: 0, speechFrames: 0)
}

/// One conversation: it hears speech while it is spoken, answers while the answer is being made, and can be
/// interrupted at any time. It knows nothing of sockets, codecs or clocks.
///
/// Calls are made one after the other by one caller (who may call `stop` at any time); compute happens on the engine's
/// threads, in the order of urgency.
public actor Session {
    private let engine: Engine
    private let tell: @Sendable (SessionEvent) async -> Void
    private let listener: Listener
    private let backbone: Backbone
    private let speaker: Speaker
    private let composer: Composer?
    private let painter: Painter?
    /// The last written question, which may be asked for something else than text.
    private var written: WrittenTurn?
    private var log: ConversationLog
    private var running: Task<AnswerMaker.Made, any Error>?

    /// A new conversation.
    ///
    /// - Parameters:
    ///   - seed: what the drawing of tokens begins with: the same seed and input give the same answers.
    ///   - tell: gets every event in order; a slow receiver slows the session down.
    public init(
        _ engine: Engine, seed: UInt64, tell: @escaping @Sendable (SessionEvent) async -> Void
    ) throws {
        self.engine = engine
        self.tell = tell
        listener = Listener(engine)
        backbone = Backbone(engine, seed: seed)
        speaker = try Speaker(engine)
        composer = engine.encodec.map { Composer(engine, $0) }
        painter = engine.seed.map { Painter(engine, $0, sessionSeed: seed) }
        log = try ConversationLog(
            tokenizer: engine.tokenizer, vocabulary: engine.vocabulary, template: engine.template,
            kind: engine.settings.kind, start: engine.settings.answerStart)
    }

    /// Reads everything that is known before the person's first word.
    public func prepare() async throws {
        guard running == nil else { return }
        _ = try await backbone.align(to: log.idsBeforeSpeech)
    }

    // MARK: The person's turn

    /// Speech begins.
    public func openTurn(item: String) async throws {
        log.openSpeech(item: item)
        await listener.reset()
    }

    /// Samples of the open turn, at the speech tokenizer's rate.
    public func hear(_ samples: [Float]) async throws {
        guard let codes = await listener.hear(samples) else { return }
        log.setSpeech(codes)
        // While an answer is still being made, the cache is its own; the codes are read when it has ended.
        guard running == nil else { return }
        makeRoom(for: 0)
        let probability = try await backbone.align(to: log.ids)
        await tell(.heard(frames: codes.count, endProbability: probability))
    }

    /// The turn is complete. Returns its codes, exactly those of the offline tokenizer.
    @discardableResult
    public func closeTurn() async throws -> [Int32] {
        let codes = await listener.finish()
        log.setSpeech(codes)
        log.closeSpeech()
        if running == nil {
            makeRoom(for: 0)
            try await backbone.align(to: log.ids)
        }
        return codes
    }

    /// The open turn is forgotten.
    public func dropTurn() { log.dropSpeech() }

    /// A written turn, before whose text may stand a picture that the person shows and music that they play, as codes in the
    /// order of their tokens.
    public func write(_ text: String, picture: [Int32] = [], music: [Int32] = [], item: String) throws {
        let turn = WrittenTurn(text: text, picture: picture, music: music, item: item)
        switch engine.settings.kind {
        case .chat:
            let message = turn.message(engine.template)
            log.append(question: try engine.template.ids(message: message, isFirst: false), item: item)
        case .base: log.appendUnasked(item: item)
        }
        written = turn
    }

    /// The codes of music, as `write` takes them: mono samples at Encodec's rate.
    public func listen(toMusic samples: [Float]) async throws -> [Int32] {
        guard let composer else { throw MusicUnavailable() }
        return try await composer.listen(samples)
    }

    /// The codes of a picture, as `write` takes them.
    public func look(at image: RGBImage) async throws -> [Int32] {
        guard let painter else { throw PicturesUnavailable.seeing }
        return try await painter.look(at: image)
    }

    /// Why the last question cannot be answered like this, as far as that lies in the model's kind; nil when it can.
    public func refusal(of form: AnswerForm) throws -> BaseModelRefusal? {
        guard engine.settings.kind == .base else { return nil }
        do {
            _ = try baseQuestion(for: form)
            return nil
        } catch let refusal as BaseModelRefusal {
            return refusal
        }
    }

    /// The last question as a base model is asked it; nil where it stands so already, as speech that is to be transcribed does.
    private func baseQuestion(for form: AnswerForm) throws -> [Int32]? {
        if log.isLastSpoken {
            guard form != .words else { throw BaseModelRefusal.conversation }
            guard form == .transcript else { throw BaseModelRefusal.noTextAlone }
            return nil
        }
        guard let written, log.isLast(item: written.item) else { throw BaseModelRefusal.conversation }
        return try written.baseIds(for: form, engine.template)
    }

    /// Makes the last question one for what is asked for.
    private func ask(for form: AnswerForm) throws {
        switch form {
        case .music: guard engine.encodec != nil else { throw MusicUnavailable() }
        case .picture: guard engine.unclip != nil else { throw PicturesUnavailable.drawing }
        case .words, .transcript, .reading: break
        }
        if engine.settings.kind == .base {
            if let ids = try baseQuestion(for: form) { log.replaceLast(question: ids) }
            return
        }
        let (task, start): (PromptTask, AnswerStart)
        switch form {
        case .words: return
        case .transcript:
            guard log.isLastSpoken else {
                throw EngineError(reason: "a transcript is made of a spoken question, and the last one is none")
            }
            return log.replaceClosing(try engine.template.spokenTurnClosing(task: .transcription))
        case .reading: (task, start) = (.readAloud, .speech)
        case .music: (task, start) = (.composeMusic, .music)
        case .picture: (task, start) = (.drawImage, .image)
        }
        guard let written, log.isLast(item: written.item) else {
            throw EngineError(reason: "\(form) is made from a written question, and the last one is none")
        }
        let message = task.message(written.message(engine.template))
        log.replaceLast(question: try engine.template.ids(message: message, isFirst: false, start: start))
    }

    /// Removes a turn by its caller's name, with its answer. False when there is none.
    public func remove(item: String) -> Bool { log.remove(item: item) }

    /// The person heard only this many frames of the last answer.
    public func cutAnswer(toFrames frames: Int) { log.cutAnswer(toFrames: frames) }

    // MARK: Answers

    /// Whether there is a question without an answer.
    public var canAnswer: Bool { log.canAnswer }

    /// Answers the last question; returns when the last sample has been told, or when it was stopped.
    ///
    /// - Parameter form: what it is made of, for which `rules` must be.
    public func answer(rules: AnswerRules, as form: AnswerForm = .words) async throws -> AnswerOutcome {
        precondition(running == nil, "an answer is being made already")
        guard log.canAnswer else { throw EngineError(reason: "there is no question to answer") }
        try ask(for: form)
        makeRoom(for: min(rules.maximumTokens, 1024 + musicRoom(rules)))
        log.beginAnswer()
        let ids = log.ids
        let maker = AnswerMaker(
            engine: engine, backbone: backbone, speaker: speaker, composer: composer, painter: painter, tell: tell)
        let task = Task { try await maker.make(to: ids, rules: rules) }
        running = task
        defer { running = nil }
        do {
            let made = try await task.value
            log.setAnswer(made.ids)
            return made.outcome
        } catch {
            log.setAnswer([engine.vocabulary.endOfAnswer])
            throw error
        }
    }

    /// Stops the answer that is being made; its `answer` call returns soon.
    public func stop() { running?.cancel() }

    /// The tokens of a piece of music that may end the answer: it shall not be cut short since the conversation is long. One
    /// that is made in windows has the room of an answer.
    private func musicRoom(_ rules: AnswerRules) -> Int {
        guard rules.modalities.contains(.music), rules.musicWindow == nil, engine.encodec != nil else { return 0 }
        return rules.maximumMusicFrames * engine.vocabulary.musicLevels
    }

    /// Forgets the oldest turns when the backbone's context would not hold the conversation and `more` tokens.
    private func makeRoom(for more: Int) {
        let capacity = engine.llama.configuration.max_position_embeddings
        _ = log.drop(toFit: max(1, capacity - more - 64))
    }
}
