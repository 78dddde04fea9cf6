import Checkpoints
import Tensors

/// SEANet's residual block (`SEANetResnetBlock`): activation, convolution to fewer channels, activation, convolution
/// back, beside a shortcut: a convolution of one tap, or nothing.
public struct ResidualUnit: SequenceLayer {
    private let block: Sequential
    private let shortcut: (any SequenceLayer)?
    private let channels: Int

    /// Reads `block.{0…3}` and `shortcut` below `weights`.
    public init(_ weights: Weights, _ configuration: SEANetConfiguration, channels: Int, dilation: Int) throws {
        let scope = weights["block"]
        let hidden = channels / configuration.compress
        let activation = configuration.activation
        self.channels = channels
        block = Sequential([
            try activation(scope["0"], channels: channels),
            try configuration.convolution(
                scope["1"], inputs: channels, outputs: hidden, taps: configuration.residualTaps, dilation: dilation),
            try activation(scope["2"], channels: hidden),
            try configuration.convolution(scope["3"], inputs: hidden, outputs: channels, taps: 1),
        ])
        shortcut =
            configuration.hasShortcut
            ? try configuration.convolution(weights["shortcut"], inputs: channels, outputs: channels, taps: 1) : nil
    }

    /// The units at one rate, their dilations growing; `next` gives the scope of each.
    static func stack(
        _ configuration: SEANetConfiguration, channels: Int, next: () -> Weights
    ) throws -> [ResidualUnit] {
        var dilation = 1
        return try (0..<configuration.residualLayers).map { _ in
            defer { dilation *= configuration.dilationBase }
            return try ResidualUnit(next(), configuration, channels: channels, dilation: dilation)
        }
    }

    public func callAsFunction(_ x: Tensor) -> Tensor { (shortcut?(x) ?? x) + block(x) }

    public func makeStream() -> any LayerStream {
        Stream(
            block: block.makeStream(), shortcut: shortcut?.makeStream(), waiting: SlidingRows(channels: channels))
    }

    struct Stream: LayerStream {
        var block: any LayerStream
        var shortcut: (any LayerStream)?
        /// The shortcut's frames, which are ready before the block's.
        var waiting: SlidingRows

        mutating func step(_ x: Tensor) -> Tensor {
            waiting.append(shortcut?.step(x) ?? x)
            return joined(block.step(x))
        }

        mutating func finish() -> Tensor {
            if let rest = shortcut?.finish() { waiting.append(rest) }
            return joined(block.finish())
        }

        /// The block's frames with the shortcut's of the same time; both have normalisations, or neither.
        private mutating func joined(_ rest: Tensor) -> Tensor {
            let sum = waiting[0..<rest.rows] + rest
            waiting.dropFirst(rest.rows)
            return sum
        }
    }
}
