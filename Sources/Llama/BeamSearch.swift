import Tensors

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
        try check(prompt, model, count)
        let maxLength = prompt.count + maxNewTokens
        var finished = BeamHypotheses(self, before: cache.length, maxLength: maxLength)
        try model.forward(prompt, cache: &cache, scratch: scratch)

        // All beams begin equal; the others' -1e9 makes the first step choose from one of them only.
        var running = (0..<beams).map { Beam(ids: prompt, logProbability: $0 == 0 ? 0 : -1e9, cache: cache) }
        var candidates = Candidates(limit: max(2, 1 + eos.count) * beams)
        for index in running.indices { score(scratch, running[index], index, newTokens: 0, into: &candidates) }
        while true {
            let ids = running[0].ids.count
            var next: [(candidate: Candidate, id: Int32)] = []
            for (rank, candidate) in candidates.best.enumerated() where next.count < beams {
                if !eos.contains(candidate.id) {
                    next.append((candidate, candidate.id))
                } else if rank < beams {
                    finished.add(running[candidate.beam].ids, logProbability: candidate.score)
                }
            }
            let best = candidates.best[0].score
            running = next.map { running[$0.candidate.beam].extended(by: $0.candidate) }
            if finished.isDone(logProbability: best, length: ids + 1) { break }
            if ids + 1 >= maxLength {
                for beam in running { finished.add(beam.ids, logProbability: beam.logProbability) }
                break
            }
            candidates.removeAll()
            for index in running.indices {
                try model.forward(running[index].ids[ids], cache: &running[index].cache, scratch: scratch)
                score(scratch, running[index], index, newTokens: ids + 1 - prompt.count, into: &candidates)
            }
        }
        return hypotheses(finished.best(count), after: prompt.count, maxLength: maxLength)
    }

    private func check(_ prompt: [Int32], _ model: LlamaModel, _ count: Int) throws(LlamaError) {
        let vocabulary = model.configuration.vocab_size
        guard !prompt.isEmpty else { throw .unsuitableSearch("the prompt is empty") }
        guard (1...1024).contains(beams), (1...beams).contains(count), (1...(1 << 24)).contains(maxNewTokens) else {
            throw .unsuitableSearch("\(count) results of \(beams) beams of \(maxNewTokens) tokens")
        }
        guard lengthPenalty.isFinite else { throw .unsuitableSearch("a length penalty of \(lengthPenalty)") }
        guard eos.allSatisfy({ $0 >= 0 && $0 < vocabulary }) else {
            throw .unsuitableSearch("an end-of-sequence id outside the vocabulary")
        }
        // As many candidates as each step looks at must exist, and enough of them go on.
        guard max(2, 1 + eos.count) <= vocabulary else {
            throw .unsuitableSearch("a vocabulary of \(vocabulary) with \(eos.count) ends")
        }
    }

    /// Offers every continuation of a beam.
    private func score(
        _ scratch: borrowing LlamaScratch, _ beam: Beam, _ index: Int, newTokens: Int, into candidates: inout Candidates
    ) {
        let normalizer = kernels.log_sum_exp_f32(scratch.lastLogits.pointer, scratch.lastLogits.count)
        for id in 0..<scratch.lastLogits.count {
            var score = scratch.lastLogits.pointer[id] - normalizer
            if newTokens < minNewTokens, eos.contains(Int32(id)) { score = -.infinity }
            candidates.offer(Candidate(score: score + beam.logProbability, beam: index, id: Int32(id)))
        }
    }

    private func hypotheses(
        _ best: [(score: Double, tokens: [Int32])], after prompt: Int, maxLength: Int
    ) -> [Hypothesis] {
        let longest = min((best.map(\.tokens.count).max() ?? 0) + 1, maxLength)
        return best.map { score, tokens in
            let end = tokens.count < longest ? Array(eos.prefix(1)) : []
            return Hypothesis(ids: Array(tokens[prompt...]) + end, score: Float(score))
        }
    }
}

/// A running sequence.
private struct Beam {
    var ids: [Int32]
    var logProbability: Float
    var cache: LlamaCache

    func extended(by candidate: Candidate) -> Beam {
        Beam(ids: ids + [candidate.id], logProbability: candidate.score, cache: cache)
    }
}

/// A continuation of a beam.
private struct Candidate {
    let score: Float
    let beam: Int
    let id: Int32
}

/// The best continuations, best first; of equals the first that was offered.
private struct Candidates {
    private let limit: Int
    private(set) var best: [Candidate] = []

    init(limit: Int) {
        self.limit = limit
        best.reserveCapacity(limit + 1)
    }

    mutating func removeAll() { best.removeAll(keepingCapacity: true) }

    mutating func offer(_ candidate: Candidate) {
        if best.count == limit {
            guard candidate.score > best[limit - 1].score else { return }
            best.removeLast()
        }
        let place = best.firstIndex { $0.score < candidate.score } ?? best.count
        best.insert(candidate, at: place)
    }
}
