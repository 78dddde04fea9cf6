import Checkpoints
import Tensors

/// Where a network's parameters come from: a checkpoint, or numbers made up to measure with.
public protocol ParameterSource {
    /// The source below a name.
    func scope(_ name: String) -> any ParameterSource
    /// The parameter of this name, which must have this shape.
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor
    /// A matrix `[outputs, inputs]`, which may be kept as a convolution of one pixel, `[outputs, inputs, 1, 1]`.
    func matrix(_ name: String, outputs: Int, inputs: Int) throws -> Tensor
    /// Whether there is a parameter of this name.
    func contains(_ name: String) -> Bool
}

extension ParameterSource {
    subscript(name: String) -> any ParameterSource { scope(name) }
    subscript(index: Int) -> any ParameterSource { scope(String(index)) }
}

extension Weights: ParameterSource {
    /// The scope of this name.
    public func scope(_ name: String) -> any ParameterSource {
        let scope: Weights = self[name]
        return scope
    }

    /// A matrix, or a convolution of one pixel.
    public func matrix(_ name: String, outputs: Int, inputs: Int) throws -> Tensor {
        let isConvolution = info(name)?.shape.count == 4
        let shape = [outputs, inputs] + (isConvolution ? [1, 1] : [])
        return try tensor(name, shape).reshaped([outputs, inputs])
    }
}

/// Random parameters of any network, for measuring: uniform, with the variance that PyTorch's layers begin with.
public struct RandomParameters: ParameterSource {
    private let generator: Generator

    private final class Generator {
        var state: UInt64
        init(_ seed: UInt64) { state = seed }
    }

    /// Parameters that are the same for the same seed and order of asking.
    public init(seed: UInt64 = 0) { generator = Generator(seed) }

    public func scope(_ name: String) -> any ParameterSource { self }
    public func contains(_ name: String) -> Bool { !name.contains(".") }
    public func matrix(_ name: String, outputs: Int, inputs: Int) throws -> Tensor {
        try tensor(name, [outputs, inputs])
    }

    public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        let count = shape.reduce(1, *)
        let inputs = shape.count > 1 ? shape.dropFirst().reduce(1, *) : 0
        let bound = inputs > 0 ? 1 / Float(inputs).squareRoot() : 0.05
        // A norm's weight is near one.
        let middle: Float = shape.count == 1 && name == "weight" ? 1 : 0
        return Tensor(generating: shape) { target in
            var state = generator.state
            for index in 0..<count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                target[index] = middle + bound * (Float(state >> 40) * 0x1p-23 - 1)
            }
            generator.state = state
        }
    }
}
