import Checkpoints
import Foundation
import SoundStorm

/// The network once more, as plainly as it can be written: nested arrays in double precision, read from the same file.
struct NaiveConformer {
    typealias Matrix = [[Double]]
    let network: RandomNetwork
    let tensors: [String: [Double]]

    init(_ network: RandomNetwork, file: URL) throws {
        self.network = network
        let checkpoint = try Checkpoint.open(file)
        var tensors: [String: [Double]] = [:]
        for name in checkpoint.names { tensors[name] = try checkpoint.array(name).doubles }
        self.tensors = tensors
    }

    func values(_ name: String) -> [Double] {
        tensors[network.sequential ? RandomNetwork.inSequentialLayout(name) : name] ?? []
    }

    func linear(_ x: Matrix, _ name: String, bias: Bool = true) -> Matrix {
        let weight = values("\(name).weight")
        let b = bias ? values("\(name).bias") : []
        return x.map { row -> [Double] in
            (0..<weight.count / row.count).map { output -> Double in
                var value = bias ? b[output] : 0
                for input in row.indices { value += row[input] * weight[output * row.count + input] }
                return value
            }
        }
    }

    func norm(_ x: Matrix, _ name: String) -> Matrix {
        let (weight, bias) = (values("\(name).weight"), values("\(name).bias"))
        return x.map { row in
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
            return row.indices.map { (row[$0] - mean) / (variance + 1e-5).squareRoot() * weight[$0] + bias[$0] }
        }
    }

    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    func swish(_ x: Double) -> Double { x * sigmoid(x) }
    func sum(_ a: Matrix, _ b: Matrix, times factor: Double = 1) -> Matrix {
        zip(a, b).map { zip($0, $1).map { $0 + factor * $1 } }
    }

    func feedForward(_ x: Matrix, _ scope: String) -> Matrix {
        let hidden = linear(norm(x, "\(scope).fn.norm"), "\(scope).fn.fn.net.0").map { $0.map(swish) }
        return sum(x, linear(hidden, "\(scope).fn.fn.net.3"), times: 0.5)
    }

    func rotated(_ head: [Double], position: Int) -> [Double] {
        let half = head.count / 2
        return head.indices.map { i in
            let angle = Double(position) / pow(10_000, Double(2 * (i % half)) / Double(head.count))
            let partner = i < half ? -head[i + half] : head[i - half]
            return head[i] * cos(angle) + partner * sin(angle)
        }
    }

    func attention(_ x: Matrix, _ scope: String, _ visible: [Bool]) -> Matrix {
        let (size, inner) = (network.headSize, network.heads * network.headSize)
        let normed = norm(x, "\(scope).norm")
        let queries = linear(normed, "\(scope).fn.to_q", bias: false)
        let both = linear(normed, "\(scope).fn.to_kv", bias: false)
        var gathered = Matrix(repeating: Array(repeating: 0, count: inner), count: x.count)
        for head in 0..<network.heads {
            let part = head * size..<(head + 1) * size
            let keys = both.enumerated().map { rotated(Array($1[part]), position: $0) }
            for frame in x.indices {
                let query = rotated(Array(queries[frame][part]), position: frame)
                let scores = x.indices.map { other in
                    visible[other]
                        ? zip(query, keys[other]).reduce(0) { $0 + $1.0 * $1.1 } / Double(size).squareRoot()
                        : -Double(Float.greatestFiniteMagnitude)
                }
                let top = scores.max() ?? 0
                let weights = scores.map { exp($0 - top) }
                let total = weights.reduce(0, +)
                for other in x.indices {
                    for i in 0..<size {
                        gathered[frame][head * size + i] +=
                            weights[other] / total * both[other][inner + head * size + i]
                    }
                }
            }
        }
        return sum(x, linear(gathered, "\(scope).fn.to_out"))
    }

    func convolution(_ x: Matrix, _ scope: String, _ visible: [Bool]) -> Matrix {
        let (channels, taps) = (network.channels, network.taps)
        let gates = linear(norm(x, "\(scope).net1.0"), "\(scope).net1.2")
        let input = gates.enumerated().map { frame, row in
            (0..<channels).map { visible[frame] ? row[$0] * sigmoid(row[channels + $0]) : 0 }
        }
        let (weight, bias) = (values("\(scope).ds_conv.conv.weight"), values("\(scope).ds_conv.conv.bias"))
        let gain = values("\(scope).net2.1.gamma")
        let filtered = x.indices.map { frame -> [Double] in
            let row = (0..<channels).map { channel -> Double in
                guard visible[frame] else { return 0 }
                var value = bias[channel]
                for tap in 0..<taps {
                    let source = frame + tap - taps / 2
                    if x.indices ~= source { value += input[source][channel] * weight[channel * taps + tap] }
                }
                return swish(value)
            }
            let mean = row.reduce(0, +) / Double(channels)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
            return row.indices.map { (row[$0] - mean) / max(variance, 1e-6).squareRoot() * gain[$0] }
        }
        return sum(x, linear(filtered, "\(scope).net2.2"))
    }

    /// Logits `[frames · levels, codes]`, flat.
    func logits(_ tokens: TokenGrid, _ condition: [Int], visible: [Bool]) -> [Double] {
        let (dim, levels, codes) = (network.dim, network.levels, network.codes)
        let (codeTable, semanticTable) = (values("net.code_embeds.weight"), values("semantic_token_emb.weight"))
        var x = condition.indices.map { frame in
            (0..<dim).map { i -> Double in
                var value = 0.0
                for level in 0..<levels { value += codeTable[(level * (codes + 1) + tokens[frame, level]) * dim + i] }
                if condition[frame] < network.semanticCodes { value += semanticTable[condition[frame] * dim + i] }
                return value
            }
        }
        for block in 0..<network.depth {
            let scope = "net.conformer.layers.\(block)"
            x = feedForward(x, "\(scope).ff1")
            x = attention(x, "\(scope).attn", visible)
            x = convolution(x, "\(scope).conv", visible)
            x = feedForward(x, "\(scope).ff2")
            x = norm(x, "\(scope).post_norm")
        }
        let heads = linear(x, "net.heads.0")
        let (weight, bias) = (values("net.to_logits.2.weight"), values("net.to_logits.2.bias"))
        return heads.flatMap { row in
            (0..<levels).flatMap { level -> [Double] in
                let normed = norm([Array(row[level * dim..<(level + 1) * dim])], "net.to_logits.0")[0]
                return (0..<codes).map { code -> Double in
                    var value = bias[level * codes + code]
                    for input in 0..<dim { value += normed[input] * weight[(level * dim + input) * codes + code] }
                    return value
                }
            }
        }
    }
}
