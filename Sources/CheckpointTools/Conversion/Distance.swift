import Foundation
public import Llama
import Tensors

/// How far one backbone's predictions are from another's on the same tokens: what quantising them costs.
public struct Distance: Sendable, Equatable {
    /// Tokens that were predicted.
    public let tokens: Int
    /// The mean of KL(reference ‖ other) over the tokens, in nats.
    public let meanKL: Double
    /// The largest of them.
    public let largestKL: Double
    /// The share of tokens at which both hold the same next token for the likeliest.
    public let sameChoice: Double

    /// Measures on `ids`, at every position.
    ///
    /// - Parameter progress: is told how many tokens are done; what it throws ends the measurement.
    public static func between(
        _ reference: LlamaModel, _ other: LlamaModel, on ids: [Int32], progress: (Int) throws -> Void = { _ in }
    ) throws -> Distance {
        precondition(reference.configuration.vocab_size == other.configuration.vocab_size && !ids.isEmpty)
        let block = 64
        var caches = (LlamaCache(reference.configuration), LlamaCache(other.configuration))
        let scratch = LlamaScratch(reference.configuration, block: block)
        let otherScratch = LlamaScratch(other.configuration, block: block)
        var (sum, largest, same) = (0.0, 0.0, 0)
        for start in stride(from: 0, to: ids.count, by: block) {
            let piece = Array(ids[start..<min(start + block, ids.count)])
            let p = try reference.outputs(piece, cache: &caches.0, scratch: scratch).logits
            let q = try other.outputs(piece, cache: &caches.1, scratch: otherScratch).logits
            let width = reference.configuration.vocab_size
            p.read { p in
                q.read { q in
                    for row in piece.indices {
                        let (kl, agrees) = compare(p + row * width, q + row * width, width)
                        sum += kl
                        largest = max(largest, kl)
                        same += agrees ? 1 : 0
                    }
                }
            }
            try progress(start + piece.count)
        }
        return Distance(
            tokens: ids.count, meanKL: sum / Double(ids.count), largestKL: largest,
            sameChoice: Double(same) / Double(ids.count))
    }

    /// KL(softmax(p) ‖ softmax(q)), and whether both have their largest logit at the same place.
    private static func compare(
        _ p: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ count: Int
    ) -> (kl: Double, agrees: Bool) {
        let (logP, logQ) = (Double(kernels.log_sum_exp_f32(p, count)), Double(kernels.log_sum_exp_f32(q, count)))
        var (kl, bestP, bestQ) = (0.0, 0, 0)
        for id in 0..<count {
            let log = Double(p[id]) - logP
            kl += exp(log) * (log - (Double(q[id]) - logQ))
            if p[id] > p[bestP] { bestP = id }
            if q[id] > q[bestQ] { bestQ = id }
        }
        return (max(kl, 0), bestP == bestQ)
    }
}
