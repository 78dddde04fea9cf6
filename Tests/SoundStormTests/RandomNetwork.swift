import Checkpoints
import Foundation
import SoundStorm
import Tensors
import TestSupport

/// A checkpoint of random weights in the official layout, of any size.
struct RandomNetwork {
    var dim = 12
    var depth = 2
    var heads = 2
    var headSize = 6
    var feedForward = 20
    var channels = 10
    var taps = 5
    var levels = 3
    var codes = 37
    var semanticCodes = 11
    /// Whether the convolution module is one `Sequential`, as in the stand-alone repository.
    var sequential = false

    var description: SoundStormDescription {
        SoundStormDescription(dim: dim, depth: depth, heads: heads, headSize: headSize)
    }

    /// Name and shape of every tensor.
    var tensors: [(name: String, shape: [Int])] {
        let inner = heads * headSize
        var list: [(name: String, shape: [Int])] = [
            ("semantic_token_emb.weight", [semanticCodes, dim]),
            ("net.code_embeds.weight", [levels * (codes + 1), dim]),
            ("net.heads.0.weight", [levels * dim, dim]), ("net.heads.0.bias", [levels * dim]),
            ("net.to_logits.0.weight", [dim]), ("net.to_logits.0.bias", [dim]),
            ("net.to_logits.2.weight", [levels, dim, codes]), ("net.to_logits.2.bias", [1, 1, levels, codes]),
        ]
        for block in 0..<depth {
            let scope = "net.conformer.layers.\(block)"
            func add(_ name: String, _ shape: [Int]) { list.append(("\(scope).\(name)", shape)) }
            for half in ["ff1", "ff2"] {
                add("\(half).fn.norm.weight", [dim])
                add("\(half).fn.norm.bias", [dim])
                add("\(half).fn.fn.net.0.weight", [feedForward, dim])
                add("\(half).fn.fn.net.0.bias", [feedForward])
                add("\(half).fn.fn.net.3.weight", [dim, feedForward])
                add("\(half).fn.fn.net.3.bias", [dim])
            }
            add("attn.norm.weight", [dim])
            add("attn.norm.bias", [dim])
            add("attn.fn.to_q.weight", [inner, dim])
            add("attn.fn.to_kv.weight", [2 * inner, dim])
            add("attn.fn.to_out.weight", [dim, inner])
            add("attn.fn.to_out.bias", [dim])
            add("conv.net1.0.weight", [dim])
            add("conv.net1.0.bias", [dim])
            add("conv.net1.2.weight", [2 * channels, dim, 1])
            add("conv.net1.2.bias", [2 * channels])
            add("conv.ds_conv.conv.weight", [channels, 1, taps])
            add("conv.ds_conv.conv.bias", [channels])
            add("conv.net2.1.gamma", [1, channels, 1])
            add("conv.net2.2.weight", [dim, channels, 1])
            add("conv.net2.2.bias", [dim])
            add("post_norm.weight", [dim])
            add("post_norm.bias", [dim])
        }
        return sequential ? list.map { (Self.inSequentialLayout($0.name), $0.shape) } : list
    }

    /// The name that a tensor of AnyGPT's copy has in the stand-alone repository.
    static func inSequentialLayout(_ name: String) -> String {
        let renamed = [
            "conv.net1.0": "conv.net.0", "conv.net1.2": "conv.net.2", "conv.ds_conv": "conv.net.4",
            "conv.net2.1": "conv.net.6", "conv.net2.2": "conv.net.7",
        ]
        for (old, new) in renamed where name.contains(".\(old).") {
            return name.replacingOccurrences(of: ".\(old).", with: ".\(new).")
        }
        return name
    }

    /// Writes the checkpoint; `change` may drop, rename or reshape tensors first.
    func write(
        to url: URL, seed: UInt64, change: (inout [(name: String, shape: [Int])]) -> Void = { _ in }
    ) throws {
        var list = tensors
        change(&list)
        var writer = SafetensorsWriter()
        for (index, (name, shape)) in list.enumerated() {
            writer.add(name, .float32, shape) {
                // Rows of length 1 on average, as trained layers have them; norms near 1.
                let spread = (3 / Float(max(shape.dropFirst().reduce(1, *), 1))).squareRoot()
                let isGain = shape.reduce(1, *) == shape.max() && name.hasSuffix("weight") || name.hasSuffix("gamma")
                var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(index) &+ 1
                let values = (0..<shape.reduce(1, *)).map { _ -> Float in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let unit = Float(state >> 40) * 0x1p-23 - 1
                    return isGain ? 1 + unit / 4 : unit * spread
                }
                return values.withUnsafeBytes { Array($0) }
            }
        }
        try writer.write(to: url)
    }

    /// The network, through a temporary file.
    func model(seed: UInt64) throws -> SoundStormModel {
        try TemporaryFolder.with { folder in
            let file = folder.appending(path: "network.safetensors")
            try write(to: file, seed: seed)
            return try SoundStormModel(contentsOf: file, described: description)
        }
    }
}

enum TemporaryFolder {
    /// Calls `body` with a new folder, which is removed afterwards.
    static func with<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "soundstorm-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
