import Foundation
import Llama

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
