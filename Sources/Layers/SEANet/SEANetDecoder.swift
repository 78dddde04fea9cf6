import Checkpoints
import Tensors

/// SEANet's decoder: latent `[frames, dimension]` → sound `[frames · hop, channels]`.
///
/// Its LSTM has one direction only (whatever the configuration says of the encoder's), so it streams exactly, a few
/// frames behind its input.
public struct SEANetDecoder: SequenceLayer {
    private let stages: Stages
    /// The modules as the reference numbers them.
    public var modules: [any SequenceLayer] { stages.layers }

    /// Reads the numbered modules below `weights`, as the reference numbers them.
    public init(_ weights: Weights, _ configuration: SEANetConfiguration) throws {
        var index = 0
        func next() -> Weights {
            defer { index += 1 }
            return weights[configuration.naming.modules]["\(index)"]
        }
        let activation = configuration.activation
        var channels = configuration.widest
        var latent: [any SequenceLayer] = [
            try configuration.convolution(
                next(), inputs: configuration.dimension, outputs: channels, taps: configuration.firstTaps)
        ]
        if configuration.lstmLayers > 0 {
            latent.append(try ResidualLSTM(next(), channels: channels, layers: configuration.lstmLayers))
        }
        var stages = [Stages.Stage(latent, channels: channels)]
        for stride in configuration.strides {
            var stage: [any SequenceLayer] = [try activation(next(), channels: channels)]
            stage.append(
                try configuration.transposed(next(), inputs: channels, outputs: channels / 2, stride: stride))
            channels /= 2
            stage += try ResidualUnit.stack(configuration, channels: channels, next: next)
            stages.append(Stages.Stage(stage, channels: channels, rate: stride))
        }
        let last: [any SequenceLayer] = [
            try activation(next(), channels: channels),
            try configuration.convolution(
                next(), inputs: channels, outputs: configuration.audioChannels, taps: configuration.lastTaps),
        ]
        self.stages = Stages(stages + [Stages.Stage(last, channels: channels)])
    }

    public func callAsFunction(_ x: Tensor) -> Tensor { stages(x) }

    public func makeStream() -> any LayerStream { stages.makeStream() }
}
