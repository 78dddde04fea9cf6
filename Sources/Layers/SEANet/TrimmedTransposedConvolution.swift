import Checkpoints
import Tensors

/// SEANet's transposed convolution (`SConvTranspose1d` of the reference): each frame becomes `taps` frames that start
/// `stride` apart and are added where they overlap; taps − stride frames are cut away, the larger half on the left.
public struct TrimmedTransposedConvolution: SequenceLayer {
    /// Channels of a frame that comes in.
    public let inputs: Int
    /// Channels of a frame that goes out.
    public let outputs: Int
    let taps: Int
    let stride: Int
    private let matrix: PackedMatrix
    let bias: Tensor

    /// Reads `convtr.convtr.{weight…, bias}` below `weights`; weight: `[inputs, outputs, taps]`.
    public init(_ weights: Weights, inputs: Int, outputs: Int, taps: Int, stride: Int) throws {
        precondition(taps >= stride && stride > 0)
        let scope = weights["convtr"]["convtr"]
        let weight = try scope.convolutionWeight([inputs, outputs, taps])
        (self.inputs, self.outputs, self.taps, self.stride) = (inputs, outputs, taps, stride)
        bias = try scope.tensor("bias", [outputs])
        let turned = Tensor(generating: [inputs, taps * outputs]) { target in
            weight.read { w in
                for i in 0..<inputs {
                    for o in 0..<outputs {
                        for k in 0..<taps { target[(i * taps + k) * outputs + o] = w[(i * outputs + o) * taps + k] }
                    }
                }
            }
        }
        matrix = PackedMatrix(transposed: turned)
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        var stream = TransposedConvolutionStream(self)
        let body = stream.step(x)
        return .concatenated([body, stream.finish()])
    }

    public func makeStream() -> any LayerStream { TransposedConvolutionStream(self) }

    /// What each frame contributes: `[frames, taps · outputs]`.
    func contributions(_ x: Tensor) -> Tensor { matrix(x) }
}

/// A transposed convolution in the middle of its sequence.
struct TransposedConvolutionStream: LayerStream {
    private let layer: TrimmedTransposedConvolution
    /// What the frames so far have left in the taps − stride frames after the last finished one.
    private var overlap: Tensor
    /// Frames on the left that are still to be cut away.
    private var cut: Int
    private var started = false

    init(_ layer: TrimmedTransposedConvolution) {
        self.layer = layer
        let total = layer.taps - layer.stride
        cut = total - total / 2
        overlap = Tensor(zeros: [total, layer.outputs])
    }

    mutating func step(_ x: Tensor) -> Tensor {
        guard x.rows > 0 else { return Tensor(zeros: [0, layer.outputs]) }
        started = true
        let (frames, channels, stride) = (x.rows, layer.outputs, layer.stride)
        let total = layer.taps - stride
        let pieces = layer.contributions(x)
        var sums = Tensor(zeros: [frames * stride + total, channels])
        sums.mutate { sums in
            overlap.read { sums.update(from: $0, count: total * channels) }
            pieces.read { pieces in
                for frame in 0..<frames {
                    kernels.add_f32(
                        sums + frame * stride * channels, pieces + frame * layer.taps * channels, layer.taps * channels)
                }
            }
        }
        overlap = sums[rows: frames * stride..<frames * stride + total]
        return released(sums[rows: 0..<frames * stride])
    }

    mutating func finish() -> Tensor {
        guard started else { return Tensor(zeros: [0, layer.outputs]) }
        let total = layer.taps - layer.stride
        return released(overlap[rows: 0..<total - total / 2])
    }

    /// The rows with bias, without those that are cut away on the left.
    private mutating func released(_ rows: Tensor) -> Tensor {
        let skipped = min(cut, rows.rows)
        cut -= skipped
        var kept = rows[rows: skipped..<rows.rows]
        let (count, channels) = (kept.rows, layer.outputs)
        kept.mutate { kept in layer.bias.read { kernels.add_bias_f32(kept, $0, count, channels) } }
        return kept
    }
}
