import Checkpoints
import Tensors

/// SEANet's encoder: sound `[samples, channels]` → latent `[⌈samples / hop⌉, dimension]`.
///
/// It is kept in three parts because they stream differently: the convolutions down to the frame rate, the LSTM, and
/// the tail that makes the latent of what the LSTM says.
public struct SEANetEncoder: Sendable {
    /// What stands between the convolutions and the tail.
    public enum Recurrence: Sendable {
        /// Nothing: a network without LSTM layers.
        case none
        /// One direction: streams exactly.
        case forward(ResidualLSTM)
        /// Both directions: earlier frames are revised when later ones come.
        case bidirectional(BidirectionalLSTM)
    }

    /// The convolutions down to the frame rate.
    public let front: Stages
    /// The LSTM.
    public let recurrence: Recurrence
    /// Activation and last convolution.
    public let tail: Sequential
    /// Frames to each side that the tail looks at.
    public let tailRadius: Int
    /// Channels between the front and the tail, after the LSTM.
    public let tailInputs: Int

    /// Reads the numbered modules below `weights`, as the reference numbers them.
    public init(_ weights: Weights, _ configuration: SEANetConfiguration, bidirectional: Bool) throws {
        var index = 0
        func next() -> Weights {
            defer { index += 1 }
            return weights[configuration.naming.modules]["\(index)"]
        }
        let activation = configuration.activation
        var channels = configuration.filters
        var stages: [Stages.Stage] = []
        var stage: [any SequenceLayer] = [
            try configuration.convolution(
                next(), inputs: configuration.audioChannels, outputs: channels, taps: configuration.firstTaps)
        ]
        for stride in configuration.strides.reversed() {
            stage += try ResidualUnit.stack(configuration, channels: channels, next: next)
            stage.append(try activation(next(), channels: channels))
            stage.append(
                try configuration.convolution(
                    next(), inputs: channels, outputs: 2 * channels, taps: 2 * stride, stride: stride))
            stages.append(Stages.Stage(stage, channels: channels))
            stage = []
            channels *= 2
        }
        front = Stages(stages)

        let lstmLayers = configuration.lstmLayers
        if lstmLayers == 0 {
            recurrence = .none
        } else if bidirectional {
            recurrence = .bidirectional(try BidirectionalLSTM(next(), channels: channels, layers: lstmLayers))
        } else {
            recurrence = .forward(try ResidualLSTM(next(), channels: channels, layers: lstmLayers))
        }
        // The reference doubles the channels for `bidirectional` even where there is no LSTM to double them.
        tailInputs = bidirectional ? 2 * channels : channels
        let last = configuration.lastTaps
        tailRadius = last / 2
        tail = Sequential([
            try activation(next(), channels: tailInputs),
            try configuration.convolution(
                next(), inputs: tailInputs, outputs: configuration.dimension, taps: last),
        ])
    }

    /// The latent of a whole sound.
    public func callAsFunction(_ wave: Tensor) -> Tensor {
        let frames = front(wave)
        return switch recurrence {
        case .none: tail(frames)
        case .forward(let lstm): tail(lstm(frames))
        case .bidirectional(let lstm): tail(lstm(frames))
        }
    }

    /// The modules as the reference numbers them; nil where the LSTM runs in both directions.
    public var modules: [any SequenceLayer]? {
        switch recurrence {
        case .none: front.layers + tail.layers
        case .forward(let lstm): front.layers + [lstm] + tail.layers
        case .bidirectional: nil
        }
    }

    /// A stream of latents that no later sound changes; nil where the LSTM runs in both directions, see
    /// `SEANetEncoderProgress`.
    public func makeStream() -> (any LayerStream)? {
        modules.map { Sequential($0).makeStream() }
    }
}
