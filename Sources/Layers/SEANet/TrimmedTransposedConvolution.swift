import Checkpoints
import Tensors

/// SEANet's transposed convolution (`SConvTranspose1d` of the reference, `EncodecConvTranspose1d` in transformers): each
/// frame becomes 2 · stride frames that start `stride` apart and are added where they overlap; `stride` frames are cut
/// away, the larger half on the left, or as the style of a causal one says.
///
/// Every block of `stride` frames depends on two neighbours alone, so it is one product with both at once.
public struct TrimmedTransposedConvolution: SequenceLayer {
    /// Channels of a frame that comes in.
    public let inputs: Int
    /// Channels of a frame that goes out.
    public let outputs: Int
    let stride: Int
    /// Frames that are cut away on the right, at the end of the sequence.
    let cutRight: Int
    private let product: WindowProduct?
    /// Instead of the product, where blocks come in tiles.
    private let tiles: MinimalProduct?
    /// The bias of each output, `stride` times.
    private let bias: Tensor

    /// Reads `{weight…, bias}` below `weights`; weight: `[inputs, outputs, 2 · stride]`.
    public init(
        _ weights: Weights, inputs: Int, outputs: Int, stride: Int, style: ConvolutionStyle = ConvolutionStyle()
    ) throws {
        precondition(stride > 0)
        let taps = 2 * stride
        let weight = try weights.convolutionWeight([inputs, outputs, taps])
        (self.inputs, self.outputs, self.stride) = (inputs, outputs, stride)
        cutRight =
            style.isCausal ? min(stride, Int((Double(stride) * style.trimRight).rounded(.up))) : stride / 2
        let single = try weights.tensor("bias", [outputs])
        bias = .concatenated(Array(repeating: single, count: stride))
        // Rows: the frame before, whose second half of taps reaches into this block, then the block's own frame.
        let turned = Tensor(generating: [2 * inputs, stride * outputs]) { target in
            weight.read { w in
                for i in 0..<inputs {
                    for k in 0..<taps {
                        let row = k < stride ? inputs + i : i
                        for o in 0..<outputs {
                            target[row * stride * outputs + k % stride * outputs + o] = w[(i * outputs + o) * taps + k]
                        }
                    }
                }
            }
        }
        let comesInTiles = style.tilesOutputs && stride * outputs > WindowProduct.fewOutputs
        tiles = comesInTiles ? MinimalProduct(turned, taps: 2) : nil
        product = comesInTiles ? nil : WindowProduct(turned)
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        var stream = Stream(self)
        let body = stream.step(x)
        return .concatenated([body, stream.finish()])
    }

    public func makeStream() -> any LayerStream { Stream(self) }

    /// A transposed convolution in the middle of its sequence.
    private struct Stream: LayerStream {
        let layer: TrimmedTransposedConvolution
        /// The frames that the next blocks need, up to three; silence before the first.
        var last: Tensor
        /// Frames on the left that are still to be cut away.
        var cut: Int
        var started = false

        init(_ layer: TrimmedTransposedConvolution) {
            self.layer = layer
            last = Tensor(zeros: [1, layer.inputs])
            cut = layer.stride - layer.cutRight
        }

        mutating func step(_ x: Tensor) -> Tensor {
            guard x.rows > 0 else { return Tensor(zeros: [0, layer.outputs]) }
            started = true
            return blocks(.concatenated([last, x]), isLast: false)
        }

        mutating func finish() -> Tensor {
            guard started else { return Tensor(zeros: [0, layer.outputs]) }
            let tail = blocks(.concatenated([last, Tensor(zeros: [1, layer.inputs])]), isLast: true)
            return tail[rows: 0..<tail.rows - layer.cutRight]
        }

        /// The blocks of all neighbours in `rows`, without what is cut away on the left.
        private mutating func blocks(_ rows: Tensor, isLast: Bool) -> Tensor {
            var count = rows.rows - 1
            if let tiles = layer.tiles, !isLast { count -= count % tiles.tile }
            last = rows[rows: count..<rows.rows]
            let (inputs, width) = (layer.inputs, layer.stride * layer.outputs)
            let sums = Tensor(generating: [count * layer.stride, layer.outputs]) { sums in
                rows.read { rows in
                    layer.bias.read { bias in
                        layer.tiles?.multiply(rows, rows: count, into: sums, bias: bias)
                        layer.product?.multiply(rows, lda: inputs, rows: count, into: sums, bias: bias, adding: false)
                    }
                }
            }
            precondition(sums.count == count * width)
            let skipped = min(cut, sums.rows)
            cut -= skipped
            return sums[rows: skipped..<sums.rows]
        }
    }
}
