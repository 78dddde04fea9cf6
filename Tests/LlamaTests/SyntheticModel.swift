import Checkpoints
import Foundation
import Llama
import TestSupport

/// A model with random weights, written as a folder that `LlamaModel` loads; its weights in fp32 for naive code.
struct SyntheticModel {
    let configuration: LlamaConfiguration
    let folder: URL
    /// By the checkpoint's names.
    private(set) var weights: [String: [Float]] = [:]
    private var arrays: [(String, TypedArray)] = []

    init(_ configuration: LlamaConfiguration, seed: UInt64, dtype: DType = .float32) throws {
        self.configuration = configuration
        folder = FileManager.default.temporaryDirectory.appending(path: "llama-\(UUID().uuidString)")
        var generator = TestGenerator(seed: seed)
        for (name, shape) in Self.tensors(configuration) {
            let isNorm = name.hasSuffix("norm.weight")
            let scale: Float = name.contains("bias") ? 0.3 : 1 / Float(shape.last ?? 1).squareRoot()
            let values = generator.normal(shape.reduce(1, *)).map { isNorm ? 1 + 0.1 * $0 : $0 * scale }
            let array = Self.stored(values, shape, dtype)
            weights[name] = array.floats
            arrays.append((name, array))
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try JSONEncoder().encode(configuration).write(to: folder.appending(path: "config.json"))
        try write()
    }

    /// Writes the weights again: without a tensor, with one more, or with one in another shape.
    func write(without missing: String? = nil, with extra: [(String, TypedArray)] = []) throws {
        var writer = SafetensorsWriter()
        for (name, array) in arrays where name != missing && !extra.contains(where: { $0.0 == name }) {
            writer.add(name, array)
        }
        for (name, array) in extra { writer.add(name, array) }
        try writer.write(to: folder.appending(path: "model.safetensors"))
    }

    func load() throws -> LlamaModel { try LlamaModel(folder: folder) }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    static func tensors(_ c: LlamaConfiguration) -> [(String, [Int])] {
        let (hidden, keys) = (c.hidden_size, c.num_key_value_heads * c.headSize)
        var tensors = [("model.embed_tokens.weight", [c.vocab_size, hidden]), ("model.norm.weight", [hidden])]
        if !c.tie_word_embeddings { tensors.append(("lm_head.weight", [c.vocab_size, hidden])) }
        for layer in 0..<c.num_hidden_layers {
            let prefix = "model.layers.\(layer)."
            for (name, rows) in [("q", hidden), ("k", keys), ("v", keys), ("o", hidden)] {
                tensors.append(("\(prefix)self_attn.\(name)_proj.weight", [rows, hidden]))
                if c.attention_bias { tensors.append(("\(prefix)self_attn.\(name)_proj.bias", [rows])) }
            }
            tensors += [
                ("\(prefix)mlp.gate_proj.weight", [c.intermediate_size, hidden]),
                ("\(prefix)mlp.up_proj.weight", [c.intermediate_size, hidden]),
                ("\(prefix)mlp.down_proj.weight", [hidden, c.intermediate_size]),
                ("\(prefix)input_layernorm.weight", [hidden]), ("\(prefix)post_attention_layernorm.weight", [hidden]),
            ]
        }
        return tensors
    }

    private static func stored(_ values: [Float], _ shape: [Int], _ dtype: DType) -> TypedArray {
        let words: [UInt16]
        switch dtype {
        case .float16: words = values.map { Float16($0).bitPattern }
        case .bfloat16: words = values.map { UInt16($0.bitPattern >> 16) }
        default: return TypedArray(values, shape: shape)
        }
        return TypedArray(dtype: dtype, shape: shape, bytes: words.withUnsafeBytes { [UInt8]($0) })
    }
}

/// LLaMA as its paper reads, in double precision: all positions at once, no cache, no tricks.
struct NaiveLlama {
    let c: LlamaConfiguration
    let weights: [String: [Float]]

    private func linear(_ x: [Double], _ name: String) -> [Double] {
        let w = weights[name + ".weight", default: []]
        let bias = weights[name + ".bias"]
        return (0..<(w.count / x.count)).map { row in
            x.indices.reduce(Double(bias?[row] ?? 0)) { $0 + x[$1] * Double(w[row * x.count + $1]) }
        }
    }

    private func norm(_ x: [Double], _ name: String) -> [Double] {
        let root = (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + Double(c.rms_norm_eps)).squareRoot()
        return x.indices.map { x[$0] / root * Double(weights[name + ".weight", default: []][$0]) }
    }

    private func rotated(_ head: ArraySlice<Double>, _ position: Int) -> [Double] {
        let x = Array(head)
        let half = x.count / 2
        return x.indices.map { i in
            let frequency = pow(Double(c.rope_theta), -Double(2 * (i % half)) / Double(x.count))
            let angle = Double(position) / Double(c.rope_scaling?.factor ?? 1) * frequency
            return x[i] * cos(angle) + (i < half ? -x[i + half] : x[i - half]) * sin(angle)
        }
    }

    /// The logits after each of `ids`.
    func logits(_ ids: [Int32]) -> [[Double]] {
        let (hidden, n) = (c.hidden_size, c.headSize)
        let embeddings = weights["model.embed_tokens.weight", default: []]
        var x = ids.map { id in (0..<hidden).map { Double(embeddings[Int(id) * hidden + $0]) } }
        for layer in 0..<c.num_hidden_layers {
            let prefix = "model.layers.\(layer)."
            func heads(_ name: String, _ count: Int, rotate: Bool) -> [[[Double]]] {
                x.indices.map { position in
                    let all = linear(norm(x[position], prefix + "input_layernorm"), prefix + "self_attn.\(name)_proj")
                    return (0..<count).map { head in
                        let part = all[(head * n)..<((head + 1) * n)]
                        return rotate ? rotated(part, position) : Array(part)
                    }
                }
            }
            let q = heads("q", c.num_attention_heads, rotate: true)
            let k = heads("k", c.num_key_value_heads, rotate: true)
            let v = heads("v", c.num_key_value_heads, rotate: false)
            for position in x.indices {
                var attended: [Double] = []
                for head in 0..<c.num_attention_heads {
                    let shared = head / (c.num_attention_heads / c.num_key_value_heads)
                    let scores = (0...position).map { other in
                        exp(
                            zip(q[position][head], k[other][shared]).reduce(0) { $0 + $1.0 * $1.1 }
                                / Double(n).squareRoot())
                    }
                    let sum = scores.reduce(0, +)
                    attended += (0..<n).map { i in
                        (0...position).reduce(0) { $0 + scores[$1] / sum * v[$1][shared][i] }
                    }
                }
                let output = linear(attended, prefix + "self_attn.o_proj")
                for i in 0..<hidden { x[position][i] += output[i] }
            }
            for position in x.indices {
                let normed = norm(x[position], prefix + "post_attention_layernorm")
                let gate = linear(normed, prefix + "mlp.gate_proj")
                let up = linear(normed, prefix + "mlp.up_proj")
                let inner = gate.indices.map { gate[$0] / (1 + exp(-gate[$0])) * up[$0] }
                let output = linear(inner, prefix + "mlp.down_proj")
                for i in 0..<hidden { x[position][i] += output[i] }
            }
        }
        let head = c.tie_word_embeddings ? "model.embed_tokens" : "lm_head"
        return x.map { linear(norm($0, "model.norm"), head) }
    }
}
