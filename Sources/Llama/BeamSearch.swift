/// Deterministic beam search as `generate(num_beams:do_sample=False)` of transformers 4.34.1 does it (`beam_search` and
/// `BeamSearchScorer`), prompt tokens counted in the scores as there.
public struct BeamSearch: Sendable {
    /// When a search ends before `maxNewTokens`.
    public enum EarlyStopping: Sendable {
        /// As soon as there are as many finished sequences as beams (`True`).
        case atOnce
        /// When running sequences are unlikely to become better (`False`).
        case heuristic
        /// When running sequences cannot become better (`"never"`).
        case never
    }

    /// Sequences that are followed.
    public var beams = 5
    /// The most new tokens.
    public var maxNewTokens: Int
    /// New tokens before which none of `eos` may come.
    public var minNewTokens = 0
    /// Log-probabilities are divided by the length to this power.
    public var lengthPenalty = 1.0
    /// When to end.
    public var earlyStopping = EarlyStopping.heuristic
    /// Ids that end a sequence.
    ///
    /// transformers applies `min_new_tokens` only to the ids of the call's own configuration, and falls back to those of
    /// the model for the search: a caller who relies on the fallback passes those, and `minNewTokens` 0.
    public var eos: [Int32] = []
    /// Ids that no sequence may hold (`suppress_tokens`), ascending and apart: the log-probabilities of the others stay as
    /// they are.
    public var suppressed: [Range<Int32>] = []

    /// A search with the defaults of transformers.
    public init(maxNewTokens: Int) { self.maxNewTokens = maxNewTokens }

    /// A sequence that was found.
    public struct Hypothesis: Sendable, Equatable {
        /// New ids; the first of `eos` follows where the sequence is not the longest.
        public let ids: [Int32]
        /// Its log-probability divided by its length, prompt included, to the power of the penalty.
        public let score: Float
    }

    /// Finds the best `count` sequences after what `cache` holds and `prompt`, best first. The prompt is left in `cache`.
    public func run(
        _ prompt: [Int32], on model: LlamaModel, cache: inout LlamaCache, scratch: borrowing LlamaScratch,
        returning count: Int = 1
    ) throws(LlamaError) -> [Hypothesis] {
        guard !prompt.isEmpty else { throw .unsuitableSearch("the prompt is empty") }
        try check(model, count)
        try model.forward(prompt, cache: &cache, scratch: scratch)
        var run = try BeamRun(self, on: model, after: cache, scratch: scratch)
        while !run.isFinished { try run.advance(on: model, scratch: scratch) }
        return run.best(count)
    }

    /// Whether a model can be searched like this.
    func check(_ model: LlamaModel, _ count: Int) throws(LlamaError) {
        let vocabulary = model.configuration.vocab_size
        guard (1...1024).contains(beams), (1...beams).contains(count), (1...(1 << 24)).contains(maxNewTokens) else {
            throw .unsuitableSearch("\(count) results of \(beams) beams of \(maxNewTokens) tokens")
        }
        guard lengthPenalty.isFinite else { throw .unsuitableSearch("a length penalty of \(lengthPenalty)") }
        guard eos.allSatisfy({ $0 >= 0 && $0 < vocabulary }) else {
            throw .unsuitableSearch("an end-of-sequence id outside the vocabulary")
        }
        guard suppressed.allSatisfy({ $0.lowerBound >= 0 && $0.upperBound <= vocabulary }) else {
            throw .unsuitableSearch("a suppressed id outside the vocabulary")
        }
        // As many candidates as each step looks at must exist, and enough of them go on.
        let free = vocabulary - suppressed.reduce(0) { $0 + $1.count }
        guard max(2, 1 + eos.count) <= free else {
            throw .unsuitableSearch("a vocabulary of \(free) with \(eos.count) ends")
        }
    }
}
