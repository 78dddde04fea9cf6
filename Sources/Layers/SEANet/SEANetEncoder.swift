import Checkpoints
import Tensors

/// SEANet's encoder: waveform `[samples, 1]` → latent `[⌈samples / hop⌉, dimension]`.
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
    public let front: Sequential
    /// The LSTM.
    public let recurrence: Recurrence
    /// Activation and last convolution.
    public let tail: Sequential
    /// Frames to each side that the tail looks at.
    public let tailRadius: Int
    /// Channels between the front and the tail, after the LSTM.
    public let tailInputs: Int

    /// Reads `model.{0…}` below `weights`, numbered as the reference numbers its modules.
    public init(_ weights: Weights, _ configuration: SEANetConfiguration, bidirectional: Bool) throws {
        var index = 0
        func next() -> Weights {
            defer { index += 1 }
            return weights["model"]["\(index)"]
        }
        let activation = configuration.activation
        var channels = configuration.filters
        var layers: [any SequenceLayer] = [
            try PaddedConvolution(next(), inputs: 1, outputs: channels, taps: SEANetConfiguration.outerTaps)
        ]
        for stride in configuration.strides.reversed() {
            layers += try ResidualUnit.stack(configuration, channels: channels, next: next)
            layers.append(try activation(next(), channels: channels))
            layers.append(
                try PaddedConvolution(
                    next(), inputs: channels, outputs: 2 * channels, taps: 2 * stride, stride: stride))
            channels *= 2
        }
        front = Sequential(layers)

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
        let last = SEANetConfiguration.outerTaps
        tailRadius = last / 2
        tail = Sequential([
            try activation(next(), channels: tailInputs),
            try PaddedConvolution(next(), inputs: tailInputs, outputs: configuration.dimension, taps: last),
        ])
    }

    /// The latent of a whole waveform.
    public func callAsFunction(_ wave: Tensor) -> Tensor {
        let frames = front(wave)
        return switch recurrence {
        case .none: tail(frames)
        case .forward(let lstm): tail(lstm(frames))
        case .bidirectional(let lstm): tail(lstm(frames))
        }
    }
}
