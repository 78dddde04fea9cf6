import Checkpoints
import Foundation
import SpeechTokenizer
import Tensors

/// How close a choice between two codes was, measured in double precision from what the quantiser saw.
struct CodeMargins {
    /// `[frames, dimension]`
    private let latent: Tensor
    /// `[codes, dimension]` each.
    private let codebooks: [Tensor]

    init(_ model: SpeechTokenizerModel, _ checkpoint: URL, samples: [Float]) throws {
        latent = model.latent(samples)
        let weights = try Checkpoint.open(checkpoint)
        codebooks = try (0..<model.configuration.levels).map { level in
            try weights.tensor("quantizer.vq.layers.\(level)._codebook.embed")
        }
    }

    /// The distance of the residual at this level and frame to the plane on which our code and another one are equally
    /// near: how far it would have to move for the other to be chosen.
    ///
    /// - Parameter codes: ours, `[level][frame]`.
    func margin(level: Int, frame: Int, codes: [[Int32]], other: Int) -> Double? {
        guard other >= 0, other < codebooks[level].rows else { return nil }
        var residual = row(latent, frame)
        for earlier in 0..<level {
            residual = zip(residual, row(codebooks[earlier], Int(codes[earlier][frame]))).map { $0 - $1 }
        }
        let ours = row(codebooks[level], Int(codes[level][frame]))
        let theirs = row(codebooks[level], other)
        let apart = distance(ours, theirs).squareRoot()
        return apart == 0 ? 0 : (distance(residual, theirs) - distance(residual, ours)) / (2 * apart)
    }

    private func row(_ tensor: Tensor, _ index: Int) -> [Double] {
        tensor[rows: index..<(index + 1)].values.map(Double.init)
    }

    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
}
