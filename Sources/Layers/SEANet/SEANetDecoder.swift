import Checkpoints
import Tensors

/// SEANet's decoder: latent `[frames, dimension]` → waveform `[frames · hop, 1]`.
///
/// Its LSTM has one direction only (whatever the configuration says of the encoder's), so it streams exactly, a few
/// frames behind its input.
public struct SEANetDecoder: SequenceLayer {
    private let model: Sequential

    /// Reads `model.{0…}` below `weights`, numbered as the reference numbers its modules.
    public init(_ weights: Weights, _ configuration: SEANetConfiguration) throws {
        var index = 0
        func next() -> Weights {
            defer { index += 1 }
            return weights["model"]["\(index)"]
        }
        let activation = configuration.activation
        var channels = configuration.widest
        var layers: [any SequenceLayer] = [
            try PaddedConvolution(
                next(), inputs: configuration.dimension, outputs: channels, taps: SEANetConfiguration.outerTaps)
        ]
        if configuration.lstmLayers > 0 {
            layers.append(try ResidualLSTM(next(), channels: channels, layers: configuration.lstmLayers))
        }
        for stride in configuration.strides {
            layers.append(try activation(next(), channels: channels))
            layers.append(
                try TrimmedTransposedConvolution(
                    next(), inputs: channels, outputs: channels / 2, taps: 2 * stride, stride: stride))
            channels /= 2
            layers += try ResidualUnit.stack(configuration, channels: channels, next: next)
        }
        layers.append(try activation(next(), channels: channels))
        layers.append(
            try PaddedConvolution(next(), inputs: channels, outputs: 1, taps: SEANetConfiguration.outerTaps))
        model = Sequential(layers)
    }

    public func callAsFunction(_ x: Tensor) -> Tensor { model(x) }

    public func makeStream() -> any LayerStream { model.makeStream() }
}
