import Checkpoints
import Tensors

/// SEANet's residual block (`SEANetResnetBlock`): activation, convolution to half the channels, activation, convolution
/// back, beside a shortcut of one tap.
public struct ResidualUnit: SequenceLayer {
    private let block: Sequential
    private let shortcut: PaddedConvolution

    /// Reads `block.{0…3}` and `shortcut` below `weights`.
    public init(_ weights: Weights, channels: Int, taps: Int, dilation: Int, activation: ActivationKind) throws {
        let scope = weights["block"]
        let hidden = channels / 2
        block = Sequential([
            try activation(scope["0"], channels: channels),
            try PaddedConvolution(scope["1"], inputs: channels, outputs: hidden, taps: taps, dilation: dilation),
            try activation(scope["2"], channels: hidden),
            try PaddedConvolution(scope["3"], inputs: hidden, outputs: channels, taps: 1),
        ])
        shortcut = try PaddedConvolution(weights["shortcut"], inputs: channels, outputs: channels, taps: 1)
    }

    /// The units at one rate, their dilations growing; `next` gives the scope of each.
    static func stack(
        _ configuration: SEANetConfiguration, channels: Int, next: () -> Weights
    ) throws -> [ResidualUnit] {
        var dilation = 1
        return try (0..<configuration.residualLayers).map { _ in
            defer { dilation *= configuration.dilationBase }
            return try ResidualUnit(
                next(), channels: channels, taps: configuration.residualTaps, dilation: dilation,
                activation: configuration.activation)
        }
    }

    public func callAsFunction(_ x: Tensor) -> Tensor { shortcut(x) + block(x) }

    public func makeStream() -> any LayerStream {
        Stream(block: block.makeStream(), shortcut: shortcut, waiting: SlidingRows(channels: shortcut.outputs))
    }

    struct Stream: LayerStream {
        var block: any LayerStream
        let shortcut: PaddedConvolution
        /// The shortcut's frames, which are ready before the block's.
        var waiting: SlidingRows

        mutating func step(_ x: Tensor) -> Tensor {
            waiting.append(shortcut(x))
            return joined(block.step(x))
        }

        mutating func finish() -> Tensor { joined(block.finish()) }

        private mutating func joined(_ rest: Tensor) -> Tensor {
            let sum = waiting[0..<rest.rows] + rest
            waiting.dropFirst(rest.rows)
            return sum
        }
    }
}
