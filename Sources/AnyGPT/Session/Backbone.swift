import Compute
import Llama
import Tokenizers

/// The backbone in one conversation: its KV cache, and the tokens that are in it. Runs on the compute threads.
actor Backbone {
    let engine: Engine
    private let lane: ComputeLane
    private(set) var cache: LlamaCache
    let scratch: LlamaScratch
    private var sampler: Sampler
    private var history: TokenHistory
    /// How tokens are drawn, with what ends each modality's run.
    let sampling: ModalitySampling
    /// The tokens in the cache.
    private(set) var ids: [Int32] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(_ engine: Engine, seed: UInt64) {
        self.engine = engine
        lane = engine.pool.lane(.ingest)
        cache = LlamaCache(engine.llama.configuration)
        // A block is what more urgent work waits for: 32 tokens take the small model about 2 ms.
        scratch = LlamaScratch(engine.llama.configuration, block: engine.settings.prefillBlock)
        let vocabularySize = engine.llama.configuration.vocab_size
        sampler = Sampler(vocabularySize: vocabularySize, seed: seed)
        history = TokenHistory(vocabularySize: vocabularySize)
        var sampling = engine.settings.sampling
        sampling.text.endIDs = [engine.vocabulary.endOfAnswer]
        sampling.speech.endIDs = [engine.vocabulary.speech.end]
        // Music's least length is the grammar's: a piece may be asked for that is shorter than the settings' minimum.
        sampling.music.minimumNewTokens = 0
        self.sampling = sampling
    }

    /// Makes the cache hold exactly these tokens: keeps what is the same at the front, rolls the rest back and reads
    /// what is new. Returns how likely the model holds it that the speech ends here.
    @discardableResult
    func align(to wanted: [Int32], as workClass: WorkClass = .ingest) async throws -> Float {
        lane.workClass = workClass
        var same = 0
        while same < ids.count, same < wanted.count, ids[same] == wanted[same] { same += 1 }
        // The logits belong to the last token that was read: read it again when nothing else is new.
        if same == wanted.count, same < ids.count, same > 0 { same -= 1 }
        rollback(to: same)
        while same < wanted.count {
            try Task.checkCancellation()
            let end = min(wanted.count, same + scratch.block)
            let piece = Array(wanted[same..<end])
            try engine.llama.forward(
                piece, cache: &cache, scratch: scratch, logits: end == wanted.count ? .last : .none)
            ids += piece
            history.record(piece)
            same = end
            await Task.yield()
        }
        return ids.isEmpty ? 0 : scratch.probability(of: engine.vocabulary.speech.end)
    }

    func rollback(to length: Int) {
        for id in ids[length...] { history.forget(id) }
        ids.removeLast(ids.count - length)
        cache.rollback(to: length)
    }

    /// What an answer came to.
    struct Answer: Sendable {
        /// Its tokens, with the mark that ends it: also when it was stopped, so that the conversation can go on.
        var ids: [Int32]
        /// Whether it ran to its own end.
        var isComplete: Bool
        /// Tokens that the model drew.
        var drawn: Int
        /// Music codes that were told, also those that `ids` has not kept.
        var musicCodes = 0
        /// The first frame behind each place at which windows of music meet.
        var musicJoins: [Int] = []
    }

    /// Generates the answer to the conversation in the cache, telling each thing as soon as it is known.
    ///
    /// - Parameter forced: tokens at the end of the cache that belong to the answer already (`<-Ins->`, `<sosp>`).
    func answer(
        rules: AnswerRules, forced: [Int32], tell: @Sendable (AnswerEvent) async -> Void
    ) async throws -> Answer {
        lane.workClass = .tokens
        if rules.beams > 1 { return try await search(rules, tell: tell) }
        var rules = rules
        // What closes a run must still fit.
        let room = cache.capacity - cache.length - 4
        let window = rules.musicWindow
        if window == nil { rules.maximumTokens = max(1, min(rules.maximumTokens, room)) }
        if let asked = window, asked.frames * engine.vocabulary.musicLevels > room {
            throw EngineError(
                reason: "a window of \(asked.frames) frames of music is more than the context has room for")
        }
        var grammar = TokenGrammar(vocabulary: engine.vocabulary, rules: rules)
        var parser = ChainParser(tokenizer: engine.tokenizer, vocabulary: engine.vocabulary)
        var answer = Answer(ids: [], isComplete: false, drawn: 0)
        for id in forced {
            grammar.accept(id)
            for event in parser.consume(id) { await tell(event) }
        }
        // The least length that the settings ask for is that of a run, not of the whole answer.
        var (modality, runLength) = (grammar.modality, 0)
        var musicStart = ids.count
        let levels = engine.vocabulary.musicLevels
        func windowsOfRun() -> MusicWindows? {
            window.map { MusicWindows($0, levels: levels, distances: engine.musicDistances) }
        }
        // A run that was asked for is open already.
        var windows = modality == .music ? windowsOfRun() : nil
        while !grammar.isEnded, !Task.isCancelled {
            let id = scratch.withLogits { logits in
                sampler.next(
                    logits.span, allowed: grammar.allowed, history: history, generated: runLength,
                    settings: sampling[modality])
            }
            grammar.accept(id)
            if modality != .music, grammar.modality == .music {
                musicStart = ids.count + 1
                windows = windowsOfRun()
            }
            runLength = grammar.modality == modality ? runLength + 1 : 0
            modality = grammar.modality
            answer.ids.append(id)
            answer.drawn += 1
            let isMusic = engine.vocabulary.music?.codes.contains(id) == true
            // What the next window may exchange waits; what ends the run lets it go.
            let held = isMusic ? try windows?.append(id) : windows?.finish()
            for id in isMusic ? held ?? [id] : (held ?? []) + [id] {
                if engine.vocabulary.music?.codes.contains(id) == true { answer.musicCodes += 1 }
                for event in parser.consume(id) { await tell(event) }
            }
            try read(id, logits: !grammar.isEnded)
            if let window, modality == .music, windows?.isFull == true, !grammar.isMusicFull {
                // The next window: the run's mark, and of its codes only the last.
                let kept = windows?.next() ?? []
                answer.ids.removeLast(ids.count - musicStart)
                answer.ids += kept
                grammar.takeBack(codes: window.fade * levels)
                try await align(to: Array(ids[..<musicStart]) + kept, as: .tokens)
            }
            answer.musicJoins = windows?.joins ?? []
            await Task.yield()
        }
        answer.isComplete = grammar.isEnded
        for id in windows?.finish() ?? [] {
            answer.musicCodes += 1
            for event in parser.consume(id) { await tell(event) }
        }
        for id in grammar.closing {
            answer.ids.append(id)
            try read(id, logits: false)
        }
        for event in parser.finish() { await tell(event) }
        return answer
    }

    private func read(_ id: Int32, logits: Bool) throws {
        try engine.llama.forward(id, cache: &cache, scratch: scratch, logits: logits ? .last : .none)
        ids.append(id)
        history.record(id)
    }
}
