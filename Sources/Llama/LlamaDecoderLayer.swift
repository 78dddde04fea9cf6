import Checkpoints
import Tensors

/// Where a block of tokens stands: which rows of the scratch memory it fills, and in which conversation.
struct Block {
    /// Positions in the conversation.
    let positions: Range<Int>
    /// The conversation's pages, which have room for these positions.
    let pages: UnsafeBufferPointer<UnsafeMutablePointer<Float>>
    let layout: PageLayout
    var rows: Int { positions.count }
}

/// Attention with rotary positions, in which a group of query heads may share a key head (Ainslie et al., "GQA", 2023).
/// `LlamaAttention` in transformers 4.34.1.
struct LlamaAttention: Sendable {
    let q_proj: LlamaLinear
    let k_proj: LlamaLinear
    let v_proj: LlamaLinear
    let o_proj: LlamaLinear
    private let configuration: LlamaConfiguration

    init(_ weights: Weights, _ configuration: LlamaConfiguration) throws {
        self.configuration = configuration
        let (hidden, keys, bias) = (configuration.hidden_size, configuration.keyValueSize, configuration.attention_bias)
        q_proj = try LlamaLinear(weights["q_proj"], outputs: hidden, inputs: hidden, bias: bias)
        k_proj = try LlamaLinear(weights["k_proj"], outputs: keys, inputs: hidden, bias: bias)
        v_proj = try LlamaLinear(weights["v_proj"], outputs: keys, inputs: hidden, bias: bias)
        o_proj = try LlamaLinear(weights["o_proj"], outputs: hidden, inputs: hidden, bias: bias)
    }

    /// scratch.x += attention(scratch.normed); the block's keys and values are written to its pages.
    func addAttention(_ scratch: borrowing LlamaScratch, _ block: Block, layer: Int) {
        let rows = block.rows
        let (normed, q, k, v) = (scratch.normed.pointer, scratch.q.pointer, scratch.k.pointer, scratch.v.pointer)
        let input = LinearInput(
            normed, rows: rows, width: configuration.hidden_size,
            quantized: q_proj.isQuantized || k_proj.isQuantized || v_proj.isQuantized, memory: scratch.quantized)
        Sharing.run(work: rows * (q_proj.work + k_proj.work + v_proj.work)) { share, shares in
            q_proj.multiply(input, into: q, share: share, of: shares)
            k_proj.multiply(input, into: k, share: share, of: shares)
            v_proj.multiply(input, into: v, share: share, of: shares)
        }
        let (size, keyValueSize, hidden) = (
            configuration.headSize, configuration.keyValueSize, configuration.hidden_size
        )
        for row in 0..<rows {
            let angles = row * size / 2
            let (cosine, sine) = (scratch.cosine.pointer + angles, scratch.sine.pointer + angles)
            kernels.rope_f32(q + row * hidden, cosine, sine, configuration.num_attention_heads, size)
            kernels.rope_f32(k + row * keyValueSize, cosine, sine, configuration.num_key_value_heads, size)
            let position = block.positions.lowerBound + row
            block.layout.write(
                k + row * keyValueSize, v + row * keyValueSize, to: block.pages[position / PageLayout.positions],
                layer: layer, position: position)
        }
        let (attended, tiles) = (scratch.attended.pointer, scratch.tiles.pointer)
        Sharing.run(work: 2 * rows * block.positions.upperBound * hidden) { share, shares in
            let tile = AttentionTile(tiles + share * AttentionTile.count(configuration), configuration)
            attend(q, into: attended, block, layer: layer, tile, share: share, of: shares)
        }
        let output = LinearInput(
            attended, rows: rows, width: hidden, quantized: o_proj.isQuantized, memory: scratch.quantized)
        Sharing.run(work: rows * o_proj.work) { share, shares in
            o_proj.multiply(output, into: scratch.x.pointer, adding: true, share: share, of: shares)
        }
    }

    /// One thread's share of the heads and tiles.
    private func attend(
        _ q: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ block: Block, layer: Int,
        _ tile: AttentionTile,
        share: Int, of shares: Int
    ) {
        let (size, group, hidden) = (configuration.headSize, configuration.groupSize, configuration.hidden_size)
        if block.rows == 1 {
            // The queries of a group stand side by side and see the same keys: they are the rows of one tile.
            for head in stride(from: share, to: configuration.num_key_value_heads, by: shares) {
                let offset = head * group * size
                tile.attend(
                    q + offset, into: y + offset, stride: size, rows: group, visible: block.positions.upperBound,
                    step: 0,
                    pages: block.pages, layout: block.layout, layer: layer, head: head)
            }
            return
        }
        var (start, turn) = (block.positions.lowerBound, 0)
        while start < block.positions.upperBound {
            let next = start - start % AttentionTile.positions + AttentionTile.positions
            let end = min(next, block.positions.upperBound)
            for head in 0..<configuration.num_attention_heads {
                defer { turn += 1 }
                guard turn % shares == share else { continue }
                let offset = (start - block.positions.lowerBound) * hidden + head * size
                tile.attend(
                    q + offset, into: y + offset, stride: hidden, rows: end - start, visible: start + 1, step: 1,
                    pages: block.pages, layout: block.layout, layer: layer, head: head / group)
            }
            start = end
        }
    }
}

/// The gated MLP: down(silu(gate(x)) · up(x)) (Shazeer, "GLU Variants Improve Transformer", 2020).
struct LlamaMLP: Sendable {
    let gate_proj: LlamaLinear
    let up_proj: LlamaLinear
    let down_proj: LlamaLinear

    init(_ weights: Weights, _ configuration: LlamaConfiguration) throws {
        let (hidden, inner) = (configuration.hidden_size, configuration.intermediate_size)
        gate_proj = try LlamaLinear(weights["gate_proj"], outputs: inner, inputs: hidden)
        up_proj = try LlamaLinear(weights["up_proj"], outputs: inner, inputs: hidden)
        down_proj = try LlamaLinear(weights["down_proj"], outputs: hidden, inputs: inner)
    }

    /// scratch.x += mlp(scratch.normed).
    func addOutput(_ scratch: borrowing LlamaScratch, rows: Int) {
        let (normed, gate, up) = (scratch.normed.pointer, scratch.gate.pointer, scratch.up.pointer)
        let input = LinearInput(
            normed, rows: rows, width: gate_proj.weight.inputs,
            quantized: gate_proj.isQuantized || up_proj.isQuantized, memory: scratch.quantized)
        Sharing.run(work: rows * (gate_proj.work + up_proj.work)) { share, shares in
            gate_proj.multiply(input, into: gate, share: share, of: shares)
            up_proj.multiply(input, into: up, share: share, of: shares)
        }
        kernels.swiglu_f32(gate, up, rows * gate_proj.weight.outputs)
        let inner = LinearInput(
            gate, rows: rows, width: down_proj.weight.inputs, quantized: down_proj.isQuantized,
            memory: scratch.quantized)
        Sharing.run(work: rows * down_proj.work) { share, shares in
            down_proj.multiply(inner, into: scratch.x.pointer, adding: true, share: share, of: shares)
        }
    }
}

/// RMSNorm (Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019).
struct LlamaRMSNorm: Sendable {
    let weight: Tensor
    private let epsilon: Float

    init(_ weights: Weights, _ configuration: LlamaConfiguration) throws {
        weight = try weights.tensor("weight", [configuration.hidden_size])
        epsilon = configuration.rms_norm_eps
    }

    /// y = norm(x), x and y `[rows, hidden]`.
    func callAsFunction(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        weight.read { kernels.rms_norm_f32(y, x, $0, rows, weight.count, epsilon) }
    }
}

/// One block: attention and MLP, each behind a norm and added to what came in.
struct LlamaDecoderLayer: Sendable {
    let input_layernorm: LlamaRMSNorm
    let self_attn: LlamaAttention
    let post_attention_layernorm: LlamaRMSNorm
    let mlp: LlamaMLP

    init(_ weights: Weights, _ configuration: LlamaConfiguration) throws {
        input_layernorm = try LlamaRMSNorm(weights["input_layernorm"], configuration)
        self_attn = try LlamaAttention(weights["self_attn"], configuration)
        post_attention_layernorm = try LlamaRMSNorm(weights["post_attention_layernorm"], configuration)
        mlp = try LlamaMLP(weights["mlp"], configuration)
    }

    /// scratch.x becomes the block's output.
    func callAsFunction(_ scratch: borrowing LlamaScratch, _ block: Block, layer: Int) {
        let (x, normed) = (scratch.x.pointer, scratch.normed.pointer)
        input_layernorm(x, rows: block.rows, into: normed)
        self_attn.addAttention(scratch, block, layer: layer)
        post_attention_layernorm(x, rows: block.rows, into: normed)
        mlp.addOutput(scratch, rows: block.rows)
    }
}
