import Checkpoints
import Tensors

extension Weights {
    /// The weight of a convolution, from whichever form the checkpoint keeps: plain `weight`, or weight-normalised as
    /// `weight_g`, `weight_v` (PyTorch before 2.0) or `parametrizations.weight.original0`, `original1` (since).
    ///
    /// Weight norm is w = g · v / ‖v‖ with the norm over all dimensions but the first, which for a transposed
    /// convolution is the input channel.
    public func convolutionWeight(_ shape: [Int]) throws -> Tensor {
        let magnitudeShape = [shape[0]] + shape.dropFirst().map { _ in 1 }
        if contains("weight_g") || contains("weight_v") {
            return normalized(try tensor("weight_v", shape), by: try tensor("weight_g", magnitudeShape))
        }
        let parametrized = self["parametrizations"]["weight"]
        if parametrized.contains("original0") || parametrized.contains("original1") {
            return normalized(
                try parametrized.tensor("original1", shape), by: try parametrized.tensor("original0", magnitudeShape))
        }
        return try tensor("weight", shape)
    }

    private func normalized(_ direction: Tensor, by magnitude: Tensor) -> Tensor {
        let (rows, n) = (direction.rows, direction.rowCount)
        var weight = direction
        weight.mutate { w in
            magnitude.read { g in
                for row in 0..<rows {
                    let v = w + row * n
                    let norm = kernels.dot_f32(v, v, n).squareRoot()
                    kernels.scale_f32(v, g[row] / norm, n)
                }
            }
        }
        return weight
    }
}
