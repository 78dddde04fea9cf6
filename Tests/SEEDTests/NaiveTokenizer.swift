import Foundation
import Images

/// The network once more, as plainly as it can be written, in double precision.
struct NaiveTokenizer {
    typealias Rows = [[Double]]
    typealias Entries = [String: RandomTokenizer.Entry]

    let sizes: RandomTokenizer.Sizes
    let vision: Entries
    let quantizer: Entries

    init(_ tokenizer: RandomTokenizer) {
        (sizes, vision, quantizer) = (tokenizer.sizes, tokenizer.vision, tokenizer.quantizer)
    }

    static func values(_ entries: Entries, _ name: String) -> [Double] { entries[name]!.values.map(Double.init) }

    static func linear(_ x: Rows, _ entries: Entries, _ name: String, bias: [Double]? = nil) -> Rows {
        let (outputs, inputs) = (entries["\(name).weight"]!.shape[0], x[0].count)
        let weight = values(entries, "\(name).weight")
        var start = [Double](repeating: 0, count: outputs)
        if let bias { start = bias } else if entries["\(name).bias"] != nil { start = values(entries, "\(name).bias") }
        return x.map { row -> [Double] in
            var result = start
            for out in 0..<outputs { for i in 0..<inputs { result[out] += row[i] * weight[out * inputs + i] } }
            return result
        }
    }

    static func norm(_ x: Rows, _ entries: Entries, _ name: String, _ epsilon: Double) -> Rows {
        let (weight, bias) = (values(entries, "\(name).weight"), values(entries, "\(name).bias"))
        return x.map { row -> [Double] in
            let mean: Double = row.reduce(0, +) / Double(row.count)
            let squares: [Double] = row.map { ($0 - mean) * ($0 - mean) }
            let deviation: Double = (squares.reduce(0, +) / Double(row.count) + epsilon).squareRoot()
            return row.indices.map { (row[$0] - mean) / deviation * weight[$0] + bias[$0] }
        }
    }

    static func add(_ a: Rows, _ b: Rows) -> Rows { zip(a, b).map { zip($0, $1).map(+) } }
    static func gelu(_ value: Double) -> Double { value * (1 + erf(value / 2.0.squareRoot())) / 2 }
    static func gelu(_ x: Rows) -> Rows { x.map { row in row.map { gelu($0) } } }
    static func tanh(_ x: Rows) -> Rows { x.map { row in row.map { Foundation.tanh($0) } } }

    static func attend(_ q: Rows, _ k: Rows, _ v: Rows, heads: Int, causal: Bool = false) -> Rows {
        let (size, width) = (q[0].count, q[0].count / heads)
        var out = Rows(repeating: [Double](repeating: 0, count: size), count: q.count)
        for head in 0..<heads {
            let part = (head * width)..<((head + 1) * width)
            for row in q.indices {
                var scores = [Double](repeating: 0, count: k.count)
                for key in k.indices {
                    for i in part { scores[key] += q[row][i] * k[key][i] }
                    scores[key] /= Double(width).squareRoot()
                    if causal && key > row { scores[key] -= 10_000 }
                }
                let top: Double = scores.max() ?? 0
                let weights: [Double] = scores.map { exp($0 - top) }
                let sum: Double = weights.reduce(0, +)
                for i in part { for key in k.indices { out[row][i] += weights[key] / sum * v[key][i] } }
            }
        }
        return out
    }

    static func block(_ x: Rows, _ entries: Entries, _ name: String, heads: Int, bias: [Double]) -> Rows {
        let size = x[0].count
        let fused = linear(norm(x, entries, "\(name).norm1", 1e-6), entries, "\(name).attn.qkv", bias: bias)
        let (q, k, v) = (
            fused.map { Array($0[..<size]) }, fused.map { Array($0[size..<(2 * size)]) },
            fused.map { Array($0[(2 * size)...]) }
        )
        let x = add(x, linear(attend(q, k, v, heads: heads), entries, "\(name).attn.proj"))
        let inner = gelu(linear(norm(x, entries, "\(name).norm2", 1e-6), entries, "\(name).mlp.fc1"))
        return add(x, linear(inner, entries, "\(name).mlp.fc2"))
    }

    /// What the vision transformer makes of a picture of its size.
    func tokens(_ image: RGBImage) -> Rows {
        let mean = [0.48145466, 0.4578275, 0.40821073], deviation = [0.26862954, 0.26130258, 0.27577711]
        var patches: Rows = []
        for row in 0..<(sizes.grid * sizes.grid) {
            var patch: [Double] = []
            for channel in 0..<3 {
                for y in 0..<sizes.patch {
                    for x in 0..<sizes.patch {
                        let line = row / sizes.grid * sizes.patch + y
                        let pixel = line * image.width + row % sizes.grid * sizes.patch + x
                        let value = Double(image.bytes[pixel * 3 + channel]) / 255
                        patch.append((value - mean[channel]) / deviation[channel])
                    }
                }
            }
            patches.append(patch)
        }
        var x = [Self.values(vision, "cls_token")] + Self.linear(patches, vision, "patch_embed.proj")
        let places = Self.values(vision, "pos_embed")
        for row in x.indices { for i in 0..<sizes.vision { x[row][i] += places[row * sizes.vision + i] } }
        for index in 0..<sizes.visionDepth {
            let zeros = [Double](repeating: 0, count: sizes.vision)
            let bias =
                Self.values(vision, "blocks.\(index).attn.q_bias") + zeros
                + Self.values(vision, "blocks.\(index).attn.v_bias")
            x = Self.block(x, vision, "blocks.\(index)", heads: sizes.visionHeads, bias: bias)
        }
        return x
    }

    private func rows(_ name: String) -> Rows {
        let values = Self.values(quantizer, name)
        return (0..<sizes.queries).map { Array(values[($0 * sizes.size)..<(($0 + 1) * sizes.size)]) }
    }

    /// What is quantised: `[queries, dimension]`.
    func vectors(_ image: RGBImage) -> Rows {
        let seen = Self.norm(tokens(image), quantizer, "ln_vision", 1e-5)
        var x = Self.norm(rows("query_tokens"), quantizer, "Qformer.bert.embeddings.LayerNorm", 1e-12)
        for layer in 0..<sizes.layers {
            let name = "Qformer.bert.encoder.layer.\(layer)"
            for kind in ["attention", "crossattention"] where kind == "attention" || layer.isMultiple(of: 2) {
                let source = kind == "attention" ? x : seen
                let gathered = Self.attend(
                    Self.linear(x, quantizer, "\(name).\(kind).self.query"),
                    Self.linear(source, quantizer, "\(name).\(kind).self.key"),
                    Self.linear(source, quantizer, "\(name).\(kind).self.value"), heads: sizes.queryHeads,
                    causal: kind == "attention" && sizes.queries == 32)
                let made = Self.linear(gathered, quantizer, "\(name).\(kind).output.dense")
                x = Self.norm(Self.add(made, x), quantizer, "\(name).\(kind).output.LayerNorm", 1e-12)
            }
            let inner = Self.gelu(Self.linear(x, quantizer, "\(name).intermediate_query.dense"))
            let made = Self.linear(inner, quantizer, "\(name).output_query.dense")
            x = Self.norm(Self.add(made, x), quantizer, "\(name).output_query.LayerNorm", 1e-12)
        }
        x = Self.tanh(Self.linear(x, quantizer, "encode_task_layer.0"))
        return Self.linear(x, quantizer, "encode_task_layer.2")
    }

    /// Squared distances of a vector to every code.
    func distances(_ z: [Double]) -> [Double] {
        let codes = Self.values(quantizer, "quantize.embedding.weight")
        return (0..<sizes.codes).map { code -> Double in
            var sum = 0.0
            for i in z.indices {
                let difference = z[i] - codes[code * sizes.dimension + i]
                sum += difference * difference
            }
            return sum
        }
    }

    func embedding(_ ids: [Int32]) -> [Double] {
        let codes = Self.values(quantizer, "quantize.embedding.weight")
        var x: Rows = ids.map { id -> [Double] in
            let first = Int(id) * sizes.dimension
            return Array(codes[first..<(first + sizes.dimension)])
        }
        x = Self.tanh(Self.linear(x, quantizer, "decode_task_layer.0"))
        x = Self.add(Self.linear(x, quantizer, "decode_task_layer.2"), rows("pos_embed_image"))
        for index in 0..<sizes.blocks {
            let name = "blocks_image.\(index)"
            x = Self.block(x, quantizer, name, heads: 12, bias: Self.values(quantizer, "\(name).attn.qkv.bias"))
        }
        for index in sizes.down.indices {
            x = Self.linear(x, quantizer, "image_down.\(2 * index)")
            if index < sizes.down.count - 1 { x = x.map { row in row.map { max($0, 0) } } }
        }
        return Self.linear([x.flatMap { $0 }], quantizer, "distill_image_proj")[0]
    }
}
