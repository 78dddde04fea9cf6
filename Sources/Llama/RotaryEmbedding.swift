import Foundation

/// Rotary position embeddings (Su et al., "RoFormer", 2021) as transformers 4.34.1 computes them: element i of a head is
/// paired with i + n/2, all in fp32.
///
/// The angles of a position are computed when it is reached: a few microseconds, and no table whose size a
/// configuration could claim.
struct RotaryEmbedding: Sendable {
    /// [n/2] radians per position.
    private let inv_freq: [Float]
    /// Positions are divided by this.
    private let scale: Float

    init(_ configuration: LlamaConfiguration) {
        let n = configuration.headSize
        inv_freq = stride(from: 0, to: n, by: 2).map { 1 / powf(configuration.rope_theta, Float($0) / Float(n)) }
        scale = configuration.rope_scaling?.factor ?? 1
    }

    /// Cosines and sines of `positions`: [positions, n/2] each.
    func angles(_ positions: Range<Int>, cosine: UnsafeMutablePointer<Float>, sine: UnsafeMutablePointer<Float>) {
        let half = inv_freq.count
        for (row, position) in positions.enumerated() {
            let t = Float(position) / scale
            for i in 0..<half {
                cosine[row * half + i] = cosf(t * inv_freq[i])
                sine[row * half + i] = sinf(t * inv_freq[i])
            }
        }
    }
}
