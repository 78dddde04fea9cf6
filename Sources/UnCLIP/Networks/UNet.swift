import Tensors

/// diffusers' `UNet2DConditionModel` with projected class labels and a text that never changes. Property names are the
/// checkpoint's.
public struct UNet: Sendable {
    /// The shape that it was built with.
    public let configuration: UNetConfiguration
    let time_embedding: EmbeddingMLP
    let class_embedding: EmbeddingMLP
    let conv_in: Convolution
    let down_blocks: [Block]
    let mid_block: MiddleBlock
    let up_blocks: [Block]
    let conv_norm_out: GroupNorm
    let conv_out: Convolution

    /// One level, on the way down or up.
    struct Block: Sendable {
        var resnets: [ResnetBlock2D] = []
        var attentions: [Transformer2DModel] = []
        /// `downsamplers.0.conv` or `upsamplers.0.conv`.
        var sampler: Convolution?
    }

    /// The lowest level.
    struct MiddleBlock: Sendable {
        let resnets: [ResnetBlock2D]
        let attentions: [Transformer2DModel]
    }

    /// Takes its parameters from a source.
    ///
    /// - Parameter text: the states of the prompt, `[tokens, crossAttentionSize]`.
    public init(_ parameters: any ParameterSource, _ c: UNetConfiguration, text: Tensor) throws {
        configuration = c
        let levels = c.channels.count
        time_embedding = try EmbeddingMLP(parameters["time_embedding"], inputs: c.channels[0], outputs: c.timeSize)
        class_embedding = try EmbeddingMLP(parameters["class_embedding"], inputs: c.classSize, outputs: c.timeSize)
        conv_in = try Convolution(parameters["conv_in"], inputs: c.latentChannels, outputs: c.channels[0])
        func resnet(_ p: any ParameterSource, _ inputs: Int, _ level: Int) throws -> ResnetBlock2D {
            try ResnetBlock2D(
                p, inputs: inputs, outputs: c.channels[level], groups: c.groups, epsilon: c.epsilon, time: c.timeSize,
                pixels: c.pixels(level))
        }
        func transformer(_ p: any ParameterSource, _ level: Int) throws -> Transformer2DModel {
            try Transformer2DModel(
                p, channels: c.channels[level], heads: c.heads[level], layers: c.transformerLayers[level],
                groups: c.groups, text: text)
        }

        // The channels of every map that the way up will meet again.
        var skips = [c.channels[0]]
        down_blocks = try (0..<levels).map { level in
            let p = parameters["down_blocks"][level]
            let outputs = c.channels[level]
            var block = Block()
            for layer in 0..<c.layersPerBlock {
                let inputs = layer > 0 ? outputs : c.channels[max(level - 1, 0)]
                block.resnets.append(try resnet(p["resnets"][layer], inputs, level))
                if c.downAttends[level] { block.attentions.append(try transformer(p["attentions"][layer], level)) }
                skips.append(outputs)
            }
            if level < levels - 1 {
                block.sampler = try Convolution(p["downsamplers"]["0"]["conv"], inputs: outputs, outputs: outputs)
                skips.append(outputs)
            }
            return block
        }
        let (mid, last) = (parameters["mid_block"], c.channels[levels - 1])
        mid_block = MiddleBlock(
            resnets: try (0..<2).map { try resnet(mid["resnets"][$0], last, levels - 1) },
            attentions: [try transformer(mid["attentions"]["0"], levels - 1)])
        var inputs = last
        up_blocks = try (0..<levels).map { index in
            let p = parameters["up_blocks"][index]
            let level = levels - 1 - index
            let outputs = c.channels[level]
            var block = Block()
            for layer in 0...c.layersPerBlock {
                block.resnets.append(try resnet(p["resnets"][layer], inputs + skips.removeLast(), level))
                if c.upAttends[index] { block.attentions.append(try transformer(p["attentions"][layer], level)) }
                inputs = outputs
            }
            if index < levels - 1 {
                block.sampler = try Convolution(
                    p["upsamplers"]["0"]["conv"], inputs: outputs, outputs: outputs, pixels: c.pixels(level - 1))
            }
            return block
        }
        conv_norm_out = try GroupNorm(
            parameters["conv_norm_out"], channels: c.channels[0], groups: c.groups, epsilon: c.epsilon)
        conv_out = try Convolution(parameters["conv_out"], inputs: c.channels[0], outputs: c.latentChannels)
    }
}

/// diffusers' `TimestepEmbedding`: linear_2(silu(linear_1(x))).
struct EmbeddingMLP: Sendable {
    let linear_1: Linear
    let linear_2: Linear

    init(_ parameters: any ParameterSource, inputs: Int, outputs: Int) throws {
        linear_1 = try Linear(parameters["linear_1"], inputs: inputs, outputs: outputs)
        linear_2 = try Linear(parameters["linear_2"], inputs: outputs, outputs: outputs)
    }

    /// y = the network's output for dense rows of x; `scratch`: rows · outputs floats.
    func apply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        linear_1.apply(x, rows: rows, into: scratch)
        kernels.silu_f32(scratch, scratch, rows * linear_1.outputs)
        linear_2.apply(scratch, rows: rows, into: y)
    }
}
