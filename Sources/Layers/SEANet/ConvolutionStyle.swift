import Checkpoints
import Tensors

/// What the convolutions of a network have in common.
public struct ConvolutionStyle: Sendable, Equatable {
    /// What a convolution sees beyond the ends of its sequence; raw values as PyTorch's `pad` calls them.
    public enum Padding: String, Sendable, Codable {
        /// The sequence mirrored, without its end itself.
        case reflect
        /// Zeros.
        case zeros = "constant"
        /// The end again and again.
        case replicate
    }

    /// Whether frames only see those before them.
    public var isCausal = false
    /// What lies beyond the ends.
    public var padding = Padding.reflect
    /// The share of a causal transposed convolution's surplus that is cut off on the right, 0 … 1.
    public var trimRight = 1.0

    /// Whether convolutions of two or three neighbours, as those that change the rate are, give their outputs in tiles,
    /// which takes a third less work, and makes a stream wait for up to two frames more.
    public var tilesOutputs = false

    /// SpeechTokenizer's and Encodec's at 32 kHz.
    public init() {}
}

extension SEANetConfiguration {
    /// The convolution of a module.
    func convolution(
        _ weights: Weights, inputs: Int, outputs: Int, taps: Int, stride: Int = 1, dilation: Int = 1
    ) throws -> PaddedConvolution {
        try PaddedConvolution(
            naming.convolution.reduce(weights) { $0[$1] }, inputs: inputs, outputs: outputs, taps: taps,
            stride: stride, dilation: dilation, style: convolution)
    }

    /// The transposed convolution of a module.
    func transposed(
        _ weights: Weights, inputs: Int, outputs: Int, stride: Int
    ) throws -> TrimmedTransposedConvolution {
        try TrimmedTransposedConvolution(
            naming.transposed.reduce(weights) { $0[$1] }, inputs: inputs, outputs: outputs, stride: stride,
            style: convolution)
    }
}
