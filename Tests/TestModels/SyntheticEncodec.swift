import Checkpoints
import Foundation
import TestSupport

/// A small Encodec with random weights in a folder as Hugging Face keeps it, removed with this object.
public final class SyntheticEncodec {
    /// The folder.
    public let folder: URL

    /// Writes one at 32 kHz: 50 frames a second of 4 levels of `codebookSize` codes, a power of two.
    public init(codebookSize: Int = 256, filters: Int = 2, hidden: Int = 8, seed: UInt64 = 1) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "encodec-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let bits = log2(Double(codebookSize))
        let configuration: [String: Any] = [
            "model_type": "encodec", "sampling_rate": 32_000, "upsampling_ratios": [8, 5, 4, 4],
            "num_filters": filters, "hidden_size": hidden, "codebook_dim": hidden, "codebook_size": codebookSize,
            "target_bandwidths": [0.2 * bits + 0.01], "use_causal_conv": false, "use_conv_shortcut": false,
        ]
        try JSONSerialization.data(withJSONObject: configuration).write(to: folder.appending(path: "config.json"))

        var random = TestGenerator(seed: seed)
        var file = SafetensorsWriter()
        func add(_ name: String, _ shape: [Int]) {
            let fan = Float(max(1, shape.dropFirst().reduce(1, *)))
            let values = random.normal(shape.reduce(1, *)).map { $0 / fan.squareRoot() }
            file.add(name, TypedArray(values, shape: shape))
        }
        func convolution(_ name: String, _ first: Int, _ second: Int, _ taps: Int, outputs: Int? = nil) {
            add("\(name).conv.weight_g", [first, 1, 1])
            add("\(name).conv.weight_v", [first, second, taps])
            add("\(name).conv.bias", [outputs ?? first])
        }
        func unit(_ name: String, _ channels: Int) {
            convolution("\(name).block.1", channels / 2, channels, 3)
            convolution("\(name).block.3", channels, channels / 2, 1)
        }
        func lstm(_ name: String, _ channels: Int) {
            for layer in 0..<2 {
                for kind in ["ih", "hh"] {
                    add("\(name).lstm.weight_\(kind)_l\(layer)", [4 * channels, channels])
                    add("\(name).lstm.bias_\(kind)_l\(layer)", [4 * channels])
                }
            }
        }
        var channels = filters
        var index = 0
        func next(_ part: String) -> String {
            defer { index += 1 }
            return "\(part).layers.\(index)"
        }
        convolution(next("encoder"), channels, 1, 7)
        for stride in [4, 4, 5, 8] {
            unit(next("encoder"), channels)
            index += 1
            convolution(next("encoder"), 2 * channels, channels, 2 * stride)
            channels *= 2
        }
        lstm(next("encoder"), channels)
        index += 1
        convolution(next("encoder"), hidden, channels, 7)
        index = 0
        convolution(next("decoder"), channels, hidden, 7)
        lstm(next("decoder"), channels)
        for stride in [8, 5, 4, 4] {
            index += 1
            convolution(next("decoder"), channels, channels / 2, 2 * stride, outputs: channels / 2)
            channels /= 2
            unit(next("decoder"), channels)
        }
        index += 1
        convolution(next("decoder"), 1, channels, 7)
        for level in 0..<4 { add("quantizer.layers.\(level).codebook.embed", [codebookSize, hidden]) }
        try file.write(to: folder.appending(path: "model.safetensors"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}
