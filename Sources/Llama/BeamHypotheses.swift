import Foundation

/// The best finished sequences so far: `BeamHypotheses` of transformers 4.34.1, whose scores count the prompt's tokens
/// and not the end-of-sequence token.
struct BeamHypotheses {
    private(set) var beams: [(score: Double, tokens: [Int32])] = []
    private let limit: Int
    private let lengthPenalty: Double
    private let earlyStopping: BeamSearch.EarlyStopping
    private let before: Int
    private let maxLength: Int
    private var worst = 1e9

    /// - Parameter before: tokens of the conversation that stand before those of the sequences, and count as well.
    init(_ search: BeamSearch, before: Int, maxLength: Int) {
        self.before = before
        limit = search.beams
        lengthPenalty = search.lengthPenalty
        earlyStopping = search.earlyStopping
        self.maxLength = maxLength
    }

    private func score(_ logProbability: Float, length: Int) -> Double {
        Double(logProbability) / pow(Double(before + length), lengthPenalty)
    }

    /// Takes a sequence, prompt included, if it is among the best.
    mutating func add(_ tokens: [Int32], logProbability: Float) {
        let score = score(logProbability, length: tokens.count)
        guard beams.count < limit || score > worst else { return }
        beams.append((score, tokens))
        guard beams.count > limit else {
            worst = min(score, worst)
            return
        }
        let order = beams.indices.sorted { (beams[$0].score, $0) < (beams[$1].score, $1) }
        worst = beams[order[1]].score
        beams.remove(at: order[0])
    }

    /// Whether no running sequence, the best of which has `logProbability` at `length`, can be among the best any more.
    func isDone(logProbability: Float, length: Int) -> Bool {
        guard beams.count >= limit else { return false }
        switch earlyStopping {
        case .atOnce: return true
        case .heuristic: return worst >= score(logProbability, length: length)
        case .never: return worst >= score(logProbability, length: lengthPenalty > 0 ? maxLength : length)
        }
    }

    /// The best, best first; of equals the one that came last, as Python's `sorted` and `pop` give them.
    func best(_ count: Int) -> [(score: Double, tokens: [Int32])] {
        let order = beams.indices.sorted { (beams[$0].score, $0) > (beams[$1].score, $1) }
        return order.prefix(count).map { beams[$0] }
    }
}
