import Checkpoints
import Tensors

/// transformers' `CLIPTextModel`. It reads one prompt in a program's life, so it keeps nothing and is slow in peace.
struct TextEncoder {
    /// What older files hold beside the network.
    static let passedOver: [TensorPattern] = ["text_model.embeddings.position_ids"]

    /// Reads the parameters and computes the states of these ids.
    static func states(
        of ids: [Int], _ parameters: any ParameterSource, _ c: TextConfiguration
    ) throws -> TextStates {
        let model = parameters["text_model"]
        let tokens = try model["embeddings"]["token_embedding"].tensor("weight", [c.vocabularySize, c.hiddenSize])
        let positions = try model["embeddings"]["position_embedding"].tensor("weight", [c.positions, c.hiddenSize])
        guard ids.count <= c.positions, ids.allSatisfy({ $0 >= 0 && $0 < c.vocabularySize }) else {
            throw UnCLIPError("load", "the text encoder", "the prompt's ids do not fit its \(c.vocabularySize) tokens")
        }
        var x = Tensor.concatenated(ids.map { tokens[rows: $0..<$0 + 1] })
        x.add(positions[rows: 0..<ids.count])
        let embedded = x
        for layer in 0..<c.layers {
            let p = model["encoder"]["layers"][layer]
            let first = try LayerNorm(p["layer_norm1"], c.hiddenSize, epsilon: c.epsilon)
            x.add(try attention(first(x), p["self_attn"], c))
            let second = try LayerNorm(p["layer_norm2"], c.hiddenSize, epsilon: c.epsilon)
            var wide = try linear(second(x), p["mlp"]["fc1"], c.intermediateSize)
            let count = wide.count
            wide.mutate { kernels.gelu_f32($0, $0, count) }
            x.add(try linear(wide, p["mlp"]["fc2"], c.hiddenSize))
        }
        let final = try LayerNorm(model["final_layer_norm"], c.hiddenSize, epsilon: c.epsilon)
        return TextStates(embedded: embedded, last: x, normed: final(x))
    }

    private static func linear(_ x: Tensor, _ p: any ParameterSource, _ outputs: Int) throws -> Tensor {
        x.linear(try p.tensor("weight", [outputs, x.rowCount]), bias: try p.tensor("bias", [outputs]))
    }

    /// Each token attends to itself and those before it, padding included.
    private static func attention(_ x: Tensor, _ p: any ParameterSource, _ c: TextConfiguration) throws -> Tensor {
        let q = try linear(x, p["q_proj"], c.hiddenSize)
        let k = try linear(x, p["k_proj"], c.hiddenSize)
        let v = try linear(x, p["v_proj"], c.hiddenSize)
        let size = c.hiddenSize / c.heads
        let scale = 1 / Float(size).squareRoot()
        var gathered = Tensor(zeros: x.shape)
        var scores = [Float](repeating: 0, count: x.rows)
        gathered.mutate { target in
            q.read { q in
                k.read { k in
                    v.read { v in
                        for head in 0..<c.heads {
                            for row in 0..<x.rows {
                                let place = row * c.hiddenSize + head * size
                                for other in 0...row {
                                    let from = other * c.hiddenSize + head * size
                                    scores[other] = scale * kernels.dot_f32(q + place, k + from, size)
                                }
                                kernels.softmax_f32(&scores, 1, row + 1)
                                for other in 0...row {
                                    let from = other * c.hiddenSize + head * size
                                    kernels.axpy_f32(target + place, scores[other], v + from, size)
                                }
                            }
                        }
                    }
                }
            }
        }
        return try linear(gathered, p["out_proj"], c.hiddenSize)
    }
}

/// The states of a prompt, `[tokens, hiddenSize]` each.
public struct TextStates: Sendable {
    /// Token plus position.
    public var embedded: Tensor
    /// Behind the last layer.
    public var last: Tensor
    /// And behind the final norm: what a UNet attends to.
    public var normed: Tensor
}
