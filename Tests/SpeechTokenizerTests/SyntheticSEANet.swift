import Checkpoints
import Foundation
import Layers
import TestSupport

/// A SEANet of any shape with random weights, written and loaded like a real checkpoint.
enum SyntheticSEANet {
    /// Names and shapes as the reference would save them, plain weights instead of weight norm.
    private static func shapes(_ c: SEANetConfiguration, bidirectional: Bool) -> [(String, [Int])] {
        var result: [(String, [Int])] = []
        func convolution(_ name: String, _ out: Int, _ into: Int, _ taps: Int) {
            result += [("\(name).conv.conv.weight", [out, into, taps]), ("\(name).conv.conv.bias", [out])]
        }
        func activation(_ name: String, _ channels: Int) {
            if c.activation == .snake { result.append(("\(name).alpha", [1, channels, 1])) }
        }
        func unit(_ name: String, _ channels: Int) {
            activation("\(name).block.0", channels)
            convolution("\(name).block.1", channels / 2, channels, c.residualTaps)
            activation("\(name).block.2", channels / 2)
            convolution("\(name).block.3", channels, channels / 2, 1)
            convolution("\(name).shortcut", channels, channels, 1)
        }
        func lstm(_ name: String, _ channels: Int, both: Bool) {
            for layer in 0..<c.lstmLayers {
                for suffix in both ? ["", "_reverse"] : [""] {
                    let inputs = both && layer > 0 ? 2 * channels : channels
                    result += [
                        ("\(name).lstm.weight_ih_l\(layer)\(suffix)", [4 * channels, inputs]),
                        ("\(name).lstm.weight_hh_l\(layer)\(suffix)", [4 * channels, channels]),
                        ("\(name).lstm.bias_ih_l\(layer)\(suffix)", [4 * channels]),
                        ("\(name).lstm.bias_hh_l\(layer)\(suffix)", [4 * channels]),
                    ]
                }
            }
        }
        var (index, channels) = (0, c.filters)
        func next(_ part: String) -> String {
            defer { index += 1 }
            return "\(part).model.\(index)"
        }
        convolution(next("encoder"), channels, 1, 7)
        for stride in c.strides.reversed() {
            for _ in 0..<c.residualLayers { unit(next("encoder"), channels) }
            activation(next("encoder"), channels)
            convolution(next("encoder"), 2 * channels, channels, 2 * stride)
            channels *= 2
        }
        if c.lstmLayers > 0 { lstm(next("encoder"), channels, both: bidirectional) }
        let wide = bidirectional ? 2 * channels : channels
        activation(next("encoder"), wide)
        convolution(next("encoder"), c.dimension, wide, 7)

        index = 0
        convolution(next("decoder"), channels, c.dimension, 7)
        if c.lstmLayers > 0 { lstm(next("decoder"), channels, both: false) }
        for stride in c.strides {
            activation(next("decoder"), channels)
            let name = next("decoder")
            result += [
                ("\(name).convtr.convtr.weight", [channels, channels / 2, 2 * stride]),
                ("\(name).convtr.convtr.bias", [channels / 2]),
            ]
            channels /= 2
            for _ in 0..<c.residualLayers { unit(next("decoder"), channels) }
        }
        activation(next("decoder"), channels)
        convolution(next("decoder"), 1, channels, 7)
        return result
    }

    /// Weights for this shape, from a file that is removed once it is mapped.
    static func weights(
        _ configuration: SEANetConfiguration, bidirectional: Bool, _ random: inout TestGenerator
    ) throws -> Weights {
        var file = SafetensorsWriter()
        for (name, shape) in shapes(configuration, bidirectional: bidirectional) {
            let count = shape.reduce(1, *)
            let fan = Float(max(1, shape.dropFirst().reduce(1, *)))
            file.add(name, TypedArray(random.normal(count).map { $0 / fan.squareRoot() }, shape: shape))
        }
        let url = FileManager.default.temporaryDirectory.appending(path: "seanet-\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try file.write(to: url)
        return Weights(try .open(url))
    }
}
