import Checkpoints
import Tensors

/// `nn.GroupNorm(1, channels)` over a sequence: mean and variance of all its frames and channels together, then a
/// scale and an offset for each channel. A stream of it gives nothing before its end.
public struct TimeGroupNorm: SequenceLayer {
    private static let epsilon: Float = 1e-5
    private let weight: Tensor
    private let bias: Tensor

    /// Reads `weight` and `bias`, `[channels]`.
    public init(_ weights: Weights, channels: Int) throws {
        weight = try weights.tensor("weight", [channels])
        bias = try weights.tensor("bias", [channels])
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        guard x.count > 0 else { return x }
        let (rows, channels) = (x.rows, x.rowCount)
        // Sums of sums in double: a second of sound at 64 channels is millions of values.
        let (mean, deviation) = x.read { x in
            var (sum, squares) = (0.0, 0.0)
            for index in 0..<rows * channels { sum += Double(x[index]) }
            let mean = sum / Double(rows * channels)
            for index in 0..<rows * channels { squares += (Double(x[index]) - mean) * (Double(x[index]) - mean) }
            return (Float(mean), Float((squares / Double(rows * channels) + Double(Self.epsilon)).squareRoot()))
        }
        return Tensor(generating: x.shape) { y in
            x.read { x in
                weight.read { weight in
                    bias.read { bias in
                        for row in 0..<rows {
                            for channel in 0..<channels {
                                let index = row * channels + channel
                                y[index] = (x[index] - mean) / deviation * weight[channel] + bias[channel]
                            }
                        }
                    }
                }
            }
        }
    }

    public func makeStream() -> any LayerStream { Stream(layer: self, held: SlidingRows(channels: weight.count)) }

    private struct Stream: LayerStream {
        let layer: TimeGroupNorm
        var held: SlidingRows

        mutating func step(_ x: Tensor) -> Tensor {
            held.append(x)
            return Tensor(zeros: [0, held.channels])
        }

        mutating func finish() -> Tensor { layer(held[0..<held.count]) }
    }
}
