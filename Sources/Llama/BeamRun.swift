import Tensors

/// A beam search while it goes on, in steps of one token of one sequence: whoever shares the processor has a place to let
/// others go first, or to stop.
public struct BeamRun: Sendable {
    /// Whether the best sequences are known.
    public private(set) var isFinished = false

    private let search: BeamSearch
    private var finished: BeamHypotheses
    private var running: [Beam]
    private var candidates: Candidates
    /// The running sequence that is read next.
    private var next = 0

    /// Begins behind the tokens that `cache` holds, for the last of which `scratch` has the logits.
    public init(
        _ search: BeamSearch, on model: LlamaModel, after cache: LlamaCache, scratch: borrowing LlamaScratch
    ) throws(LlamaError) {
        try search.check(model, 1)
        guard cache.length > 0 else { throw .unsuitableSearch("the prompt is empty") }
        self.search = search
        finished = BeamHypotheses(search, before: cache.length, maxLength: search.maxNewTokens)
        // All beams begin equal; the others' -1e9 makes the first step choose from one of them only.
        running = (0..<search.beams).map { Beam(ids: [], logProbability: $0 == 0 ? 0 : -1e9, cache: cache) }
        candidates = Candidates(limit: max(2, 1 + search.eos.count) * search.beams)
        for index in running.indices { score(scratch, index) }
        choose()
    }

    /// Reads the last token of one sequence, and after that of the last sequence chooses how all go on.
    public mutating func advance(on model: LlamaModel, scratch: borrowing LlamaScratch) throws(LlamaError) {
        precondition(!isFinished, "the search is over")
        let last = running[next].ids.count - 1
        try model.forward(running[next].ids[last], cache: &running[next].cache, scratch: scratch)
        score(scratch, next)
        next += 1
        if next == running.count { choose() }
    }

    /// The best `count` sequences, best first.
    public func best(_ count: Int) -> [BeamSearch.Hypothesis] {
        let best = finished.best(count)
        let longest = min((best.map(\.tokens.count).max() ?? 0) + 1, search.maxNewTokens)
        return best.map { score, tokens in
            let end = tokens.count < longest ? Array(search.eos.prefix(1)) : []
            return BeamSearch.Hypothesis(ids: tokens + end, score: Float(score))
        }
    }

    /// Offers every continuation of a sequence.
    private mutating func score(_ scratch: borrowing LlamaScratch, _ index: Int) {
        let (logits, count, beam) = (scratch.lastLogits.pointer, scratch.lastLogits.count, running[index])
        let normalizer = kernels.log_sum_exp_f32(logits, count)
        let mustGoOn = beam.ids.count < search.minNewTokens
        var suppressed = search.suppressed[...]
        for id in 0..<count {
            while let range = suppressed.first, range.upperBound <= id { suppressed.removeFirst() }
            var score = logits[id] - normalizer
            if suppressed.first?.contains(Int32(id)) == true { score = -.infinity }
            if mustGoOn, search.eos.contains(Int32(id)) { score = -.infinity }
            candidates.offer(Candidate(score: score + beam.logProbability, beam: index, id: Int32(id)))
        }
    }

    /// The sequences that go on, of the candidates.
    private mutating func choose() {
        let length = running[0].ids.count + 1
        var chosen: [Candidate] = []
        for (rank, candidate) in candidates.best.enumerated() where chosen.count < search.beams {
            if !search.eos.contains(candidate.id) {
                chosen.append(candidate)
            } else if rank < search.beams {
                finished.add(running[candidate.beam].ids, logProbability: candidate.score)
            }
        }
        let best = candidates.best[0].score
        running = chosen.map { running[$0.beam].extended(by: $0) }
        if finished.isDone(logProbability: best, length: length) {
            isFinished = true
        } else if length >= search.maxNewTokens {
            for beam in running { finished.add(beam.ids, logProbability: beam.logProbability) }
            isFinished = true
        }
        candidates.removeAll()
        next = 0
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
