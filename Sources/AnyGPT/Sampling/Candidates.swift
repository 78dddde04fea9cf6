import Foundation

/// The tokens that can still be drawn and their scores, in order of id: storage for a whole vocabulary, made once, and
/// the steps of Hugging Face's logits processors and warpers on it.
struct Candidates: Sendable {
    private(set) var count = 0
    private var ids: [Int32]
    private var scores: [Float]
    /// A heap of scores, for top-k and top-p.
    private var heap: [Float]

    init(capacity: Int) {
        ids = [Int32](repeating: 0, count: capacity)
        scores = [Float](repeating: 0, count: capacity)
        heap = [Float](repeating: 0, count: capacity)
    }

    /// Id and score of a candidate.
    subscript(index: Int) -> (id: Int32, score: Float) { (ids[index], scores[index]) }

    /// Starts with the logits of some ids. A logit that is not a number counts as minus infinity.
    mutating func gather(_ logits: Span<Float>, _ ranges: [Range<Int32>]) {
        count = 0
        for range in ranges {
            for id in range {
                let logit = logits[Int(id)]
                ids[count] = id
                scores[count] = logit.isNaN ? -.infinity : logit
                count += 1
            }
        }
    }

    /// Makes tokens that came before less likely, once each however often they came.
    mutating func penalize(_ history: TokenHistory, by penalty: Float) {
        for index in 0..<count where history.contains(ids[index]) {
            let score = scores[index]
            scores[index] = score < 0 ? score * penalty : score / penalty
        }
    }

    /// Makes some tokens impossible.
    mutating func suppress(_ suppressed: [Int32]) {
        for index in 0..<count where suppressed.contains(ids[index]) { scores[index] = -.infinity }
    }

    mutating func divide(by temperature: Float) {
        for index in 0..<count { scores[index] /= temperature }
    }

    /// Drops what is below the k-th highest score; what equals it stays.
    mutating func keepTop(_ k: Int) {
        if k >= count { return }
        for index in 0..<k { heap[index] = -scores[index] }
        buildHeap(k)
        for index in k..<count where -scores[index] < heap[0] {
            heap[0] = -scores[index]
            siftDown(0, k)
        }
        keep(from: -heap[0])
    }

    /// Drops the least probable candidates that together have a probability of at most 1 - mass, but leaves `minimum`.
    ///
    /// Equal scores put the border where rounding decides, so this rounds as torch does on a processor: probabilities
    /// are fp32, their running sum is kept in double and compared, as is 1 - mass, in fp32.
    mutating func keepMass(_ mass: Double, minimum: Int) {
        let highest = highestScore
        if highest == -.infinity { return }
        var sum = 0.0
        for index in 0..<count {
            heap[index] = scores[index]
            sum += Double(Self.weight(scores[index], below: highest))
        }
        let divisor = Float(sum)
        var total = 0.0
        for index in 0..<count { total += Double(Self.weight(scores[index], below: highest) / divisor) }
        buildHeap(count)
        let dropped = Float(1 - mass)
        var left = count
        var before = 0.0
        var border = highest
        var atBorder = 0
        while left > 0, count - left < minimum || Float(total - before) > dropped {
            atBorder = heap[0] == border ? atBorder + 1 : 1
            border = heap[0]
            before += Double(Self.weight(border, below: highest) / divisor)
            left -= 1
            heap[0] = heap[left]
            siftDown(0, left)
        }
        keep(from: border, ofEqual: atBorder)
    }

    /// What a score's probability is in proportion to: 1 for the highest.
    private static func weight(_ score: Float, below highest: Float) -> Float {
        Float(exp(Double(score - highest)))
    }

    /// The candidate with the highest score, the first of equal ones.
    var best: Int32 {
        precondition(count > 0, "nothing to draw from")
        var best = 0
        for index in 1..<max(count, 1) where scores[index] > scores[best] { best = index }
        return ids[best]
    }

    /// The first candidate, in order of id, at which the running sum of probabilities exceeds `uniform` in [0, 1).
    func draw(_ uniform: Double) -> Int32 {
        precondition(count > 0, "nothing to draw from")
        let highest = highestScore
        // All impossible: a model that yields no number. Any candidate is as good.
        if highest == -.infinity { return ids[0] }
        var total = 0.0
        for index in 0..<count { total += exp(Double(scores[index] - highest)) }
        let target = uniform * total
        var sum = 0.0
        var last = ids[0]
        for index in 0..<count where scores[index] > -.infinity {
            sum += exp(Double(scores[index] - highest))
            last = ids[index]
            if sum > target { break }
        }
        return last
    }

    private var highestScore: Float {
        var highest = -Float.infinity
        for index in 0..<count { highest = max(highest, scores[index]) }
        return highest
    }

    /// Keeps the scores above the border and, of those that equal it, the last `ofEqual` in order of id.
    private mutating func keep(from border: Float, ofEqual: Int = .max) {
        var surplus = 0
        if ofEqual < count {
            for index in 0..<count where scores[index] == border { surplus += 1 }
            surplus -= ofEqual
        }
        var kept = 0
        for index in 0..<count where scores[index] >= border {
            if scores[index] == border, surplus > 0 {
                surplus -= 1
                continue
            }
            ids[kept] = ids[index]
            scores[kept] = scores[index]
            kept += 1
        }
        count = kept
    }

    // MARK: Heap, highest first

    private mutating func buildHeap(_ size: Int) {
        for index in stride(from: size / 2 - 1, through: 0, by: -1) { siftDown(index, size) }
    }

    private mutating func siftDown(_ start: Int, _ size: Int) {
        guard start < size else { return }
        var parent = start
        let value = heap[start]
        while 2 * parent + 1 < size {
            var child = 2 * parent + 1
            if child + 1 < size, heap[child + 1] > heap[child] { child += 1 }
            if heap[child] <= value { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = value
    }
}
