import Tensors

/// diffusers' `Transformer2DModel`: the pixels of a picture as tokens, which attend to each other and to the text.
struct Transformer2DModel: Sendable {
    let norm: GroupNorm
    let proj_in: Linear
    let transformer_blocks: [BasicTransformerBlock]
    let proj_out: Linear

    /// The norm's epsilon, which no configuration tells.
    private static let epsilon: Float = 1e-6

    init(
        _ parameters: any ParameterSource, channels: Int, heads: Int, layers: Int, groups: Int, text: Tensor
    ) throws {
        norm = try GroupNorm(parameters["norm"], channels: channels, groups: groups, epsilon: Self.epsilon)
        proj_in = try Linear(parameters["proj_in"], inputs: channels, outputs: channels)
        transformer_blocks = try (0..<layers).map {
            try BasicTransformerBlock(
                parameters["transformer_blocks"][$0], channels: channels, heads: heads, text: text)
        }
        proj_out = try Linear(parameters["proj_out"], inputs: channels, outputs: channels)
    }

    /// Adds x + proj_out(blocks(proj_in(norm(x)))) to a plan. Who gave `x` releases it.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap) -> FeatureMap {
        let affine = norm.plan(&b, x)
        let tokens = b.map(like: x)
        let channels = x.channels
        let chunk = Plan.rows(work: channels * channels)
        let chunks = (x.pixels + chunk - 1) / chunk
        b.add(units: x.images * chunks, scratch: chunk * channels) { unit, memory, scratch in
            let (image, first) = (unit / chunks, unit % chunks * chunk)
            let rows = min(chunk, x.pixels - first)
            let factor = memory.at(affine, image)
            kernels.channel_affine_f32(
                scratch, memory.at(x, image, first), factor, factor + channels, rows, channels, false)
            proj_in.apply(scratch, rows: rows, into: memory.at(tokens, image, first))
        }
        b.release(affine)
        for (index, block) in transformer_blocks.enumerated() {
            b.module("transformer_blocks.\(index)") { block.plan(&$0, tokens) }
        }
        let y = b.map(like: x)
        SelfAttention.forRows(&b, x, work: channels * channels) { first, rows, memory, _ in
            let target = memory.at(y, 0, first)
            target.update(from: memory.at(x, 0, first), count: rows * channels)
            proj_out.apply(memory.at(tokens, 0, first), rows: rows, into: target, adding: true)
        }
        b.release(tokens)
        return y
    }
}

/// Self-attention, attention to the text, and a feed-forward network with a gated GELU, each behind a norm and added.
struct BasicTransformerBlock: Sendable {
    let norm1: LayerNorm
    let attn1: SelfAttention
    let norm2: LayerNorm
    let attn2: TextAttention
    let norm3: LayerNorm
    let ff: FeedForward

    init(_ parameters: any ParameterSource, channels: Int, heads: Int, text: Tensor) throws {
        norm1 = try LayerNorm(parameters["norm1"], channels)
        let own = parameters["attn1"]
        attn1 = SelfAttention(
            to_q: try Linear(own["to_q"], inputs: channels, outputs: channels, hasBias: false),
            to_k: try Linear(own["to_k"], inputs: channels, outputs: channels, hasBias: false),
            to_v: try Linear(own["to_v"], inputs: channels, outputs: channels, hasBias: false),
            to_out: try Linear(own["to_out"]["0"], inputs: channels, outputs: channels), heads: heads)
        norm2 = try LayerNorm(parameters["norm2"], channels)
        attn2 = try TextAttention(parameters["attn2"], channels: channels, heads: heads, text: text)
        norm3 = try LayerNorm(parameters["norm3"], channels)
        ff = try FeedForward(parameters["ff"], channels: channels)
    }

    /// Adds the block to a plan, in place.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap) {
        attn1.plan(&b, x, norm: .layer(norm1))
        attn2.plan(&b, x, norm: norm2)
        ff.plan(&b, x, norm: norm3)
    }
}
