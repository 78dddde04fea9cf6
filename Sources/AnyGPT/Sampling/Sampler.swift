/// Draws the next token from its logits, with the steps and in the order of `GenerationMixin` of transformers 4.34.1:
/// repetition penalty, minimum length, temperature, top-k, top-p.
///
/// The grammar's set comes before all of them, so that top-k and top-p choose among tokens that can come. Nothing is
/// allocated per token.
public struct Sampler: Sendable {
    private var candidates: Candidates
    private var generator: SeededGenerator

    /// A sampler for logits of at most `vocabularySize` tokens. The same seed draws the same tokens on every platform
    /// whose `exp` agrees.
    public init(vocabularySize: Int, seed: UInt64) {
        candidates = Candidates(capacity: vocabularySize)
        generator = SeededGenerator(seed: seed)
    }

    /// Draws a token.
    ///
    /// - Parameters:
    ///   - logits: [vocabulary], one per id.
    ///   - allowed: the ids that may come, not empty; all when nil.
    ///   - history: what came before, prompt included.
    ///   - generated: how many tokens the answer has so far.
    public mutating func next(
        _ logits: Span<Float>, allowed: TokenSet?, history: TokenHistory, generated: Int, settings: SamplingSettings
    ) -> Int32 {
        process(logits, allowed: allowed, history: history, generated: generated, settings: settings)
        guard settings.doSample else { return candidates.best }
        return candidates.draw(generator.nextUnit())
    }

    /// The scores that a token would be drawn from, [vocabulary]: minus infinity where a token is out.
    public mutating func scores(
        _ logits: Span<Float>, allowed: TokenSet? = nil, history: TokenHistory, generated: Int,
        settings: SamplingSettings
    ) -> [Float] {
        process(logits, allowed: allowed, history: history, generated: generated, settings: settings)
        var scores = [Float](repeating: -.infinity, count: logits.count)
        for index in 0..<candidates.count { scores[Int(candidates[index].id)] = candidates[index].score }
        return scores
    }

    /// The token that a given uniform number in [0, 1) draws from scores as `scores` returns them: the first, in order
    /// of id, at which the running sum of probabilities exceeds the number.
    public static func draw(_ uniform: Double, from scores: Span<Float>) -> Int32 {
        var candidates = Candidates(capacity: scores.count)
        candidates.gather(scores, [0..<Int32(scores.count)])
        return candidates.draw(uniform)
    }

    private mutating func process(
        _ logits: Span<Float>, allowed: TokenSet?, history: TokenHistory, generated: Int, settings: SamplingSettings
    ) {
        precondition(settings.complaint == nil, "settings that make no sense")
        candidates.gather(logits, allowed?.ranges ?? [0..<Int32(logits.count)])
        if settings.repetitionPenalty != 1 { candidates.penalize(history, by: settings.repetitionPenalty) }
        if generated < settings.minimumNewTokens, !settings.endIDs.isEmpty { candidates.suppress(settings.endIDs) }
        guard settings.doSample else { return }
        if settings.temperature != 1 { candidates.divide(by: settings.temperature) }
        if settings.topK > 0 { candidates.keepTop(max(settings.topK, settings.minimumKept)) }
        if settings.topP < 1 { candidates.keepMass(settings.topP, minimum: settings.minimumKept) }
    }
}

/// Which ids a sequence holds, for the repetition penalty. Ids can be taken back, as the cache can.
public struct TokenHistory: Sendable {
    private var counts: [Int32]

    /// An empty history of ids below `vocabularySize`.
    public init(vocabularySize: Int) {
        counts = [Int32](repeating: 0, count: vocabularySize)
    }

    /// Adds an id.
    public mutating func record(_ id: Int32) {
        counts[Int(id)] += 1
    }

    /// Adds ids.
    public mutating func record(_ ids: some Sequence<Int32>) {
        for id in ids { record(id) }
    }

    /// Takes an id back that was added.
    public mutating func forget(_ id: Int32) {
        precondition(counts[Int(id)] > 0, "id \(id) is not in the history")
        counts[Int(id)] -= 1
    }

    /// Whether the id is in the sequence.
    public func contains(_ id: Int32) -> Bool {
        counts[Int(id)] > 0
    }
}
