import Checkpoints
import Foundation
import Tensors

/// The decoder of diffusers' `AutoencoderKL`: latents → picture. Property names are the checkpoint's.
public struct VAEDecoder: Sendable {
    /// What a file holds beside the decoder: the way from pictures to latents.
    static let passedOver: [TensorPattern] = ["encoder.**", "quant_conv.*"]

    /// The shape that it was built with.
    public let configuration: VAEConfiguration
    let post_quant_conv: Linear
    let conv_in: Convolution
    let mid_resnets: [ResnetBlock2D]
    let mid_norm: GroupNorm
    let mid_attention: SelfAttention
    let up_blocks: [Block]
    let conv_norm_out: GroupNorm
    let conv_out: Convolution

    /// One level.
    struct Block: Sendable {
        var resnets: [ResnetBlock2D] = []
        /// `upsamplers.0.conv`.
        var upsampler: Convolution?
    }

    /// Loads the decoder of a VAE's folder, strictly.
    public init(folder: URL) throws {
        try self.init(folder: folder, VAEConfiguration(contentsOf: folder.appending(path: "config.json")))
    }

    init(folder: URL, _ configuration: VAEConfiguration) throws {
        let weights = try UnCLIPFolder.weights(folder, passingOver: VAEDecoder.passedOver)
        try self.init(weights, configuration)
        try weights.requireAllUsed()
    }

    /// Takes its parameters from a source.
    public init(_ parameters: any ParameterSource, _ c: VAEConfiguration) throws {
        configuration = c
        let decoder = parameters["decoder"]
        let epsilon = VAEConfiguration.epsilon
        func resnet(_ p: any ParameterSource, _ inputs: Int, _ outputs: Int) throws -> ResnetBlock2D {
            try ResnetBlock2D(
                p, inputs: inputs, outputs: outputs, groups: c.groups, epsilon: epsilon, time: nil, pixels: .max)
        }
        let channels = Array(c.channels.reversed())
        let widest = channels[0]
        post_quant_conv = try Linear(
            parameters["post_quant_conv"], inputs: c.latentChannels, outputs: c.latentChannels)
        conv_in = try Convolution(decoder["conv_in"], inputs: c.latentChannels, outputs: widest)
        let mid = decoder["mid_block"]
        mid_resnets = try (0..<2).map { try resnet(mid["resnets"][$0], widest, widest) }
        let attention = mid["attentions"]["0"]
        mid_norm = try GroupNorm(
            attention["group_norm"], channels: widest, groups: c.groups, epsilon: epsilon)
        // diffusers renamed the projections in version 0.17.
        let names =
            attention.contains("query.weight")
            ? ["query", "key", "value", "proj_attn"] : ["to_q", "to_k", "to_v", "to_out.0"]
        let projections = try names.map { try Linear(attention[$0], inputs: widest, outputs: widest) }
        mid_attention = SelfAttention(
            to_q: projections[0], to_k: projections[1], to_v: projections[2], to_out: projections[3], heads: 1)
        up_blocks = try channels.indices.map { index in
            let p = decoder["up_blocks"][index]
            var block = Block()
            for layer in 0...c.layersPerBlock {
                let inputs = layer > 0 ? channels[index] : channels[max(index - 1, 0)]
                block.resnets.append(try resnet(p["resnets"][layer], inputs, channels[index]))
            }
            if index < channels.count - 1 {
                block.upsampler = try Convolution(
                    p["upsamplers"]["0"]["conv"], inputs: channels[index], outputs: channels[index], pixels: .max)
            }
            return block
        }
        let narrowest = channels[channels.count - 1]
        conv_norm_out = try GroupNorm(
            decoder["conv_norm_out"], channels: narrowest, groups: c.groups, epsilon: epsilon)
        conv_out = try Convolution(decoder["conv_out"], inputs: narrowest, outputs: 3)
    }

    /// Writes the decoder down for one picture whose latents have this size. The latents are already divided by the
    /// scaling factor.
    func plan(height: Int, width: Int) -> (plan: Plan, latents: FeatureMap, picture: FeatureMap) {
        var b = PlanBuilder()
        let latents = b.map(1, height, width, configuration.latentChannels)
        let quantised = b.module("post_quant_conv") { b in
            let y = b.map(like: latents)
            SelfAttention.forRows(&b, latents, work: latents.channels * latents.channels) { first, rows, memory, _ in
                post_quant_conv.apply(memory.at(latents, 0, first), rows: rows, into: memory.at(y, 0, first))
            }
            b.show(y)
            return y
        }
        var h = b.module("conv_in") { b in
            let y = conv_in.plan(&b, .plain(quantised))
            b.show(y)
            return y
        }
        b.release(quantised)
        h = b.module("mid_block") { planMiddle(&$0, h) }
        for (index, block) in up_blocks.enumerated() {
            b.module("up_blocks.\(index)") { b in
                for (layer, resnet) in block.resnets.enumerated() {
                    let x = h
                    h = b.module("resnets.\(layer)") { resnet.plan(&$0, x) }
                    b.release(x)
                }
                if let upsampler = block.upsampler {
                    let x = h
                    h = upsampler.plan(&b, .resized(x, height: 2 * x.height, width: 2 * x.width))
                    b.release(x)
                }
            }
        }
        let affine = b.module("conv_norm_out") { conv_norm_out.plan(&$0, h) }
        let picture = b.module("conv_out") { conv_out.plan(&$0, .activated(h, affine: affine)) }
        return (b.plan, latents, picture)
    }

    private func planMiddle(_ b: inout PlanBuilder, _ x: FeatureMap) -> FeatureMap {
        let first = b.module("resnets.0") { mid_resnets[0].plan(&$0, x) }
        b.release(x)
        b.module("attentions.0") { b in
            let affine = mid_norm.plan(&b, first)
            mid_attention.plan(&b, first, norm: .group(affine))
            b.release(affine)
        }
        let y = b.module("resnets.1") { mid_resnets[1].plan(&$0, first) }
        b.release(first)
        b.show(y)
        return y
    }
}
