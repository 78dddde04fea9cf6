import Foundation

/// Cosines and sines of rotary positions 0, 1, 2 …: `[frames, headSize / 2]` each (RoFormer, arXiv:2104.09864, with the
/// two halves of a head paired).
struct RotaryTable: Sendable {
    let cosine: [Float]
    let sine: [Float]
    /// Values of a frame.
    let half: Int

    /// The table for heads of `headSize`. In fp32 throughout, as the reference: its angles are rounded.
    init(frames: Int, headSize: Int) {
        half = headSize / 2
        let frequencies = (0..<half).map { 1 / powf(10_000, Float(2 * $0) / Float(headSize)) }
        let angles = (0..<frames).flatMap { frame in frequencies.map { Float(frame) * $0 } }
        cosine = angles.map { cosf($0) }
        sine = angles.map { sinf($0) }
    }
}
