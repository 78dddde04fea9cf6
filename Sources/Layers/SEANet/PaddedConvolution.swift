import Checkpoints
import Tensors

/// SEANet's convolution over time (`SConv1d` of the reference, `EncodecConv1d` in transformers).
///
/// Total padding (k − 1)·dilation − (stride − 1), the larger half on the left, or all of it in a causal one; more on the
/// right to fill the last window, so that ⌈frames / stride⌉ come out.
public struct PaddedConvolution: SequenceLayer {
    /// Channels of a frame that comes in.
    public let inputs: Int
    /// Channels of a frame that goes out.
    public let outputs: Int
    let taps: Int
    let stride: Int
    let dilation: Int
    let style: ConvolutionStyle
    /// One matrix over all taps when they are neighbours in memory (dilation 1), else one for each tap.
    private let matrices: [WindowProduct]
    /// Instead of the matrices, where each window is two or three neighbours and outputs come in tiles.
    private let tiles: MinimalProduct?
    private let bias: Tensor

    /// Reads `{weight…, bias}` below `weights`; weight: `[outputs, inputs, taps]`.
    public init(
        _ weights: Weights, inputs: Int, outputs: Int, taps: Int, stride: Int = 1, dilation: Int = 1,
        style: ConvolutionStyle = ConvolutionStyle()
    ) throws {
        precondition(taps > 0 && stride > 0 && dilation > 0)
        let weight = try weights.convolutionWeight([outputs, inputs, taps])
        (self.inputs, self.outputs, self.taps, self.stride, self.dilation) = (inputs, outputs, taps, stride, dilation)
        self.style = style
        bias = try weights.tensor("bias", [outputs])
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
        let comesInTiles =
            style.tilesOutputs && taps.isMultiple(of: stride) && MinimalProduct.exists(taps: taps / stride)
            && dilation == 1 && outputs > WindowProduct.fewOutputs
        tiles =
            comesInTiles ? MinimalProduct(turned.reshaped([taps * inputs, outputs]), taps: taps / stride) : nil
        matrices =
            comesInTiles
            ? []
            : dilation == 1
                ? [WindowProduct(turned.reshaped([taps * inputs, outputs]))]
                : (0..<taps).map { WindowProduct(turned[rows: $0..<$0 + 1].reshaped([inputs, outputs])) }
    }

    /// A stream gives so many outputs at a time, or a multiple of that.
    var tile: Int { tiles?.tile ?? 1 }

    /// Frames that one window covers.
    var window: Int { (taps - 1) * dilation + 1 }
    var paddingTotal: Int { max(0, window - stride) }
    var paddingRight: Int { style.isCausal ? 0 : paddingTotal / 2 }
    var paddingLeft: Int { paddingTotal - paddingRight }

    /// Frames to add on the right, beyond the padding, to fill the last window of a sequence of `length` frames.
    func extraPadding(_ length: Int) -> Int {
        let windows = max(0, length - window + paddingTotal + stride - 1) / stride
        return max(0, windows * stride + window - paddingTotal - length)
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        guard x.rows > 0 else { return Tensor(zeros: [0, outputs]) }
        if taps == 1, stride == 1 { return x.read { convolve($0, windows: x.rows) } }
        let extended = padded(x, left: paddingLeft, right: paddingRight + extraPadding(x.rows), style.padding)
        return extended.read { convolve($0, windows: (extended.rows - window) / stride + 1) }
    }

    /// The outputs of `windows` windows, the first of which starts at `x`.
    func convolve(_ x: UnsafePointer<Float>, windows: Int) -> Tensor {
        Tensor(generating: [windows, outputs]) { y in
            bias.read { bias in
                tiles?.multiply(x, rows: windows, into: y, bias: bias)
                for (tap, matrix) in matrices.enumerated() {
                    matrix.multiply(
                        x + tap * dilation * inputs, lda: stride * inputs, rows: windows, into: y, bias: bias,
                        adding: tap > 0)
                }
            }
        }
    }

    public func makeStream() -> any LayerStream {
        taps == 1 && stride == 1 ? FramewiseStream(layer: self) : PaddedConvolutionStream(self)
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

    /// The most that can be added to the right end.
    private var longestRight: Int { layer.paddingRight + layer.stride }

    mutating func step(_ x: Tensor) -> Tensor {
        held.append(x)
        received += x.rows
        if !started {
            // Too short a sequence is mirrored in another way: wait until it can't be too short any more.
            let needed = layer.style.padding == .reflect ? max(layer.paddingLeft, longestRight) : 0
            guard received > needed else { return Tensor(zeros: [0, layer.outputs]) }
            started = true
            let all = held[0..<held.count]
            held = SlidingRows(channels: layer.inputs)
            held.append(padded(all, left: layer.paddingLeft, right: 0, layer.style.padding))
        }
        return advance()
    }

    mutating func finish() -> Tensor {
        guard received > 0 else { return Tensor(zeros: [0, layer.outputs]) }
        guard started else { return layer(held[0..<held.count]) }
        let right = layer.paddingRight + layer.extraPadding(received)
        let end = held[max(0, held.count - right - 1)..<held.count]
        let extended = padded(end, left: 0, right: right, layer.style.padding)
        held.append(extended[rows: end.rows..<extended.rows])
        return advance(isLast: true)
    }

    private mutating func advance(isLast: Bool = false) -> Tensor {
        let available = held.count - passed
        var windows = available < layer.window ? 0 : (available - layer.window) / layer.stride + 1
        if !isLast { windows -= windows % layer.tile }
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
