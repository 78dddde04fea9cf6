import Checkpoints
import Tensors

/// The activation between SEANet's convolutions.
public enum Activation: FramewiseLayer {
    /// x > 0 ? x : eˣ − 1.
    case elu
    /// x + sin²(αx) / (α + 1e-9), α learned for each channel.
    case snake(alpha: Tensor)

    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .elu: x.elu()
        case .snake(let alpha): x.snake(alpha)
        }
    }
}

/// Which activation a SEANet is built with.
public enum ActivationKind: String, Codable, Sendable {
    /// PyTorch's `nn.ELU` with α = 1.
    case elu = "ELU"
    /// `Snake1d`.
    case snake = "Snake"

    /// The activation of one place; Snake reads its `alpha` `[1, channels, 1]` there, ELU has nothing to read.
    public func callAsFunction(_ weights: Weights, channels: Int) throws -> Activation {
        switch self {
        case .elu: .elu
        case .snake: .snake(alpha: try weights.tensor("alpha", [1, channels, 1]).reshaped([channels]))
        }
    }
}
