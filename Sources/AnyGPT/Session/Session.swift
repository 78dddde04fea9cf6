import Compute
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
    /// The backbone has drawn its last token of this answer.
    case lastToken
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
    /// Music codes among them.
    public var musicTokens = 0

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
    /// The last written question, which may be asked for something else than text.
    private var written: (message: String, item: String)?
    private var log: ConversationLog
    private var running: Task<Made, any Error>?

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
        log = try ConversationLog(
            tokenizer: engine.tokenizer, vocabulary: engine.vocabulary, template: engine.template,
            start: engine.settings.answerStart)
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

    /// A written turn, before whose text may stand music that the person plays, as codes in the order of their tokens.
    public func write(_ text: String, music: [Int32] = [], item: String) throws {
        var message = text
        if !music.isEmpty {
            let played = engine.template.text(of: music, .music)
            message = text.isEmpty ? PromptTask.describeMusic.message(played) : "\(played) \(text)"
        }
        log.append(question: try engine.template.ids(message: message, isFirst: false), item: item)
        written = (message, item)
    }

    /// The codes of music, as `write` takes them: mono samples at Encodec's rate.
    public func listen(toMusic samples: [Float]) async throws -> [Int32] {
        guard let composer else { throw MusicUnavailable() }
        return try await composer.listen(samples)
    }

    /// Makes the last written question one for a piece of music.
    private func askForMusic() throws {
        guard engine.encodec != nil else { throw MusicUnavailable() }
        guard let written, log.isLast(item: written.item) else {
            throw EngineError(reason: "music is composed from a written question, and the last one is none")
        }
        log.replaceLast(
            question: try engine.template.ids(
                message: PromptTask.composeMusic.message(written.message), isFirst: false, start: .music))
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
    /// - Parameter asMusic: whether the answer is a piece of music; see `AnswerRules.music`.
    public func answer(rules: AnswerRules, asMusic: Bool = false) async throws -> AnswerOutcome {
        precondition(running == nil, "an answer is being made already")
        guard log.canAnswer else { throw EngineError(reason: "there is no question to answer") }
        if asMusic { try askForMusic() }
        makeRoom(for: min(rules.maximumTokens, 1024))
        log.beginAnswer()
        let ids = log.ids
        let task = Task { [engine, backbone, speaker, composer, tell] in
            try await Session.makeAnswer(
                to: ids, rules: rules, engine: engine, backbone: backbone, speaker: speaker, composer: composer,
                tell: tell)
        }
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

    private struct Made: Sendable {
        var ids: [Int32]
        var outcome: AnswerOutcome
    }

    /// Thinks and speaks side by side: speech codes go to the speaker while the backbone is still drawing.
    private static func makeAnswer(
        to ids: [Int32], rules: AnswerRules, engine: Engine, backbone: Backbone, speaker: Speaker,
        composer: Composer?, tell: @escaping @Sendable (SessionEvent) async -> Void
    ) async throws -> Made {
        try await backbone.align(to: ids, as: .tokens)
        try await speaker.reset()
        await composer?.reset()
        // The backbone runs only a little ahead of the speaker: what nobody hears in the end was not computed, and
        // another session's answer need not wait for it.
        let codes = BoundedChannel<Int32?>(capacity: 4)
        let speaking = Task { try await speak(codes, with: speaker, tell: tell) }
        // Nobody listens to music while it is made: the backbone may be a second ahead of its sound.
        let notes = BoundedChannel<Int32?>(capacity: 200)
        let playing = Task { try await play(notes, with: composer, tell: tell) }
        let forced = forcedTokens(at: ids, engine)
        var rules = rules
        // The question decided that the answer is a chain, whatever the caller's rules leave open.
        if forced.first == engine.vocabulary.instruction, !forced.isEmpty { rules.chain = .required }
        let settled = rules
        do {
            let answer = try await withTaskCancellationHandler {
                try await backbone.answer(rules: settled, forced: forced) { event in
                    switch event {
                    case .speechCode(let code): await codes.send(code)
                    case .ended(.speech): await codes.send(nil)
                    case .musicCode(let code):
                        await notes.send(code)
                        await tell(.answer(event))
                    case .ended(.music):
                        await notes.send(nil)
                        await tell(.answer(event))
                    default: await tell(.answer(event))
                    }
                }
            } onCancel: {
                speaking.cancel()
                codes.cancel()
                playing.cancel()
                notes.cancel()
            }
            await tell(.lastToken)
            codes.finish()
            notes.finish()
            for result in [await speaking.result, await playing.result] {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
            return Made(
                ids: answer.ids,
                outcome: AnswerOutcome(
                    isComplete: answer.isComplete, inputTokens: ids.count, outputTokens: answer.drawn,
                    speechFrames: answer.ids.count(where: engine.vocabulary.speech.codes.contains),
                    musicTokens: answer.musicCodes))
        } catch {
            speaking.cancel()
            codes.cancel()
            playing.cancel()
            notes.cancel()
            _ = await (speaking.result, playing.result)
            throw error
        }
    }

    /// Codes into sound, in pieces of what has come by then; nil in the channel ends a run.
    private static func speak(
        _ codes: BoundedChannel<Int32?>, with speaker: Speaker,
        tell: @escaping @Sendable (SessionEvent) async -> Void
    ) async throws {
        let play: @Sendable ([Float]) async -> Void = { await tell(.speech($0)) }
        while let code = await codes.receive() {
            try Task.checkCancellation()
            if let code {
                try await speaker.say([code], play: play)
            } else {
                try await speaker.finish(play: play)
                await tell(.speechEnded)
                try await speaker.reset()
            }
        }
    }

    /// Codes of music into sound; nil in the channel ends a piece.
    private static func play(
        _ notes: BoundedChannel<Int32?>, with composer: Composer?,
        tell: @escaping @Sendable (SessionEvent) async -> Void
    ) async throws {
        while let note = await notes.receive() {
            try Task.checkCancellation()
            guard let composer else { continue }
            if let note {
                if let samples = try await composer.play(note) { await tell(.music(samples)) }
            } else {
                await tell(.music(try await composer.finish()))
                await tell(.musicEnded)
            }
        }
    }

    /// The marks at the end of a question that the answer is made to begin with.
    private static func forcedTokens(at ids: [Int32], _ engine: Engine) -> [Int32] {
        let v = engine.vocabulary
        let marks = [v.instruction, v.speech.start, v.image?.start, v.music?.start].compactMap { $0 }
        return ids.last.map { marks.contains($0) ? [$0] : [] } ?? []
    }

    /// Forgets the oldest turns when the backbone's context would not hold the conversation and `more` tokens.
    private func makeRoom(for more: Int) {
        let capacity = engine.llama.configuration.max_position_embeddings
        _ = log.drop(toFit: max(1, capacity - more - 64))
    }
}
