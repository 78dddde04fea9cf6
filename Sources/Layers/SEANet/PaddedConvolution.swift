import Checkpoints
import Tensors

/// SEANet's convolution over time, not causal, with reflected ends (`SConv1d` of the reference).
///
/// Total padding (k − 1)·dilation − (stride − 1), the larger half on the left; more on the right to fill the last
/// window, so that ⌈frames / stride⌉ come out.
public struct PaddedConvolution: SequenceLayer {
    /// Channels of a frame that comes in.
    public let inputs: Int
    /// Channels of a frame that goes out.
    public let outputs: Int
    let taps: Int
    let stride: Int
    let dilation: Int
    /// One matrix over all taps when they are neighbours in memory (dilation 1), else one for each tap.
    private let matrices: [PackedMatrix]
    private let bias: Tensor

    /// Reads `conv.conv.{weight…, bias}` below `weights`; weight: `[outputs, inputs, taps]`.
    public init(
        _ weights: Weights, inputs: Int, outputs: Int, taps: Int, stride: Int = 1, dilation: Int = 1
    ) throws {
        precondition(taps > 0 && stride > 0 && dilation > 0)
        let scope = weights["conv"]["conv"]
        let weight = try scope.convolutionWeight([outputs, inputs, taps])
        (self.inputs, self.outputs, self.taps, self.stride, self.dilation) = (inputs, outputs, taps, stride, dilation)
        bias = try scope.tensor("bias", [outputs])
        // [outputs, inputs, taps] → [taps, inputs, outputs]: rows in the order in which a window lies in memory.
        let turned = Tensor(generating: [taps, inputs, outputs]) { target in
            weight.read { w in
                for k in 0..<taps {
                    for i in 0..<inputs {
                        for o in 0..<outputs {
                            target[(k * inputs + i) * outputs + o] = w[(o * inputs + i) * taps + k]
                        }
                    }
                }
            }
        }
        matrices =
            dilation == 1
            ? [PackedMatrix(transposed: turned.reshaped([taps * inputs, outputs]))]
            : (0..<taps).map { PackedMatrix(transposed: turned[rows: $0..<$0 + 1].reshaped([inputs, outputs])) }
    }

    /// Frames that one window covers.
    var window: Int { (taps - 1) * dilation + 1 }
    var paddingTotal: Int { max(0, window - stride) }
    var paddingRight: Int { paddingTotal / 2 }
    var paddingLeft: Int { paddingTotal - paddingRight }

    /// Frames to add on the right, beyond the padding, to fill the last window of a sequence of `length` frames.
    func extraPadding(_ length: Int) -> Int {
        let overhang = max(0, length - taps + paddingTotal)
        let windows = (overhang + stride - 1) / stride
        return max(0, windows * stride + taps - paddingTotal - length)
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        guard x.rows > 0 else { return Tensor(zeros: [0, outputs]) }
        let padded = reflected(x, left: paddingLeft, right: paddingRight + extraPadding(x.rows))
        return padded.read { convolve($0, windows: (padded.rows - window) / stride + 1) }
    }

    /// The outputs of `windows` windows, the first of which starts at `x`.
    func convolve(_ x: UnsafePointer<Float>, windows: Int) -> Tensor {
        Tensor(generating: [windows, outputs]) { y in
            bias.read { bias in
                for (tap, matrix) in matrices.enumerated() {
                    matrix.multiply(
                        x + tap * dilation * inputs, lda: stride * inputs, rows: windows, into: y, ldc: outputs,
                        bias: bias, adding: tap > 0)
                }
            }
        }
    }

    public func makeStream() -> any LayerStream { PaddedConvolutionStream(self) }
}

/// x with its ends mirrored (without repeating the end itself). A sequence that is too short to be mirrored gets zeros
/// on its right first, which are cut away again from the result: what the reference's `pad1d` does.
func reflected(_ x: Tensor, left: Int, right: Int) -> Tensor {
    let (length, channels) = (x.rows, x.rowCount)
    let missing = max(0, max(left, right) - length + 1)
    let extended = length + missing
    return Tensor(generating: [left + length + right, channels]) { target in
        x.read { source in
            for row in 0..<(left + length + right) {
                var from = row - left
                if from < 0 { from = -from }
                if from >= extended { from = 2 * (extended - 1) - from }
                if from < length {
                    (target + row * channels).update(from: source + from * channels, count: channels)
                } else {
                    (target + row * channels).update(repeating: 0, count: channels)
                }
            }
        }
    }
}

/// A convolution in the middle of its sequence.
struct PaddedConvolutionStream: LayerStream {
    private let layer: PaddedConvolution
    /// Before the start is known: all frames. Afterwards: from the start of the next window, or further back as far as
    /// the right end may be mirrored.
    private var held: SlidingRows
    /// Frames of `held` that lie before the next window.
    private var passed = 0
    private var received = 0
    private var started = false

    init(_ layer: PaddedConvolution) {
        self.layer = layer
        held = SlidingRows(channels: layer.inputs)
    }

    /// The most that the right end can be mirrored by.
    private var longestRight: Int { layer.paddingRight + layer.stride }

    mutating func step(_ x: Tensor) -> Tensor {
        held.append(x)
        received += x.rows
        if !started {
            // Too short a sequence is padded in another way: wait until it can't be too short any more.
            guard received > max(layer.paddingLeft, longestRight) else { return Tensor(zeros: [0, layer.outputs]) }
            started = true
            let all = held[0..<held.count]
            held = SlidingRows(channels: layer.inputs)
            held.append(reflected(all, left: layer.paddingLeft, right: 0))
        }
        return advance()
    }

    mutating func finish() -> Tensor {
        guard received > 0 else { return Tensor(zeros: [0, layer.outputs]) }
        guard started else { return layer(held[0..<held.count]) }
        let right = layer.paddingRight + layer.extraPadding(received)
        let end = held[max(0, held.count - right - 1)..<held.count]
        let mirrored = reflected(end, left: 0, right: right)
        held.append(mirrored[rows: end.rows..<mirrored.rows])
        return advance()
    }

    private mutating func advance() -> Tensor {
        let available = held.count - passed
        let windows = available < layer.window ? 0 : (available - layer.window) / layer.stride + 1
        guard windows > 0 else { return Tensor(zeros: [0, layer.outputs]) }
        let y = held.read { layer.convolve($0 + passed * layer.inputs, windows: windows) }
        passed += windows * layer.stride
        let unneeded = min(passed, held.count - longestRight - 1)
        if unneeded > 0 {
            held.dropFirst(unneeded)
            passed -= unneeded
        }
        return y
    }
}
