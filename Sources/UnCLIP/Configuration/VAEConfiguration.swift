import Foundation

/// What `vae/config.json` says: the decoder of an `AutoencoderKL` of diffusers.
public struct VAEConfiguration: Sendable, Equatable {
    /// Channels of the latents.
    public var latentChannels = 4
    /// Channels of each level of the encoder; the decoder goes through them backwards.
    public var channels = [128, 256, 512, 512]
    /// Residual blocks of the encoder's levels; the decoder's have one more.
    public var layersPerBlock = 2
    /// Groups of the norms.
    public var groups = 32
    /// What latents were multiplied by for the UNet.
    public var scalingFactor: Float = 0.18215

    /// The epsilon of all norms.
    static let epsilon: Float = 1e-6

    /// The official shape.
    public init() {}

    /// Pixels of a picture along one side for each latent: 8 officially.
    public var scale: Int { 1 << (channels.count - 1) }

    /// Reads and checks a `config.json`.
    public init(contentsOf url: URL) throws(UnCLIPError) {
        let s = try Settings(url)
        try s.expect([
            "_class_name": .text("AutoencoderKL"), "in_channels": .number(3), "out_channels": .number(3),
            "use_post_quant_conv": .flag(true), "mid_block_add_attention": .flag(true),
        ])
        latentChannels = try s.integer("latent_channels", default: 4, in: 1...64)
        channels = try s.integers("block_out_channels", in: 1...16384)
        guard channels.count <= 8 else { throw s.refusal("block_out_channels", "has more than 8 levels") }
        layersPerBlock = try s.integer("layers_per_block", default: 1, in: 1...16)
        groups = try s.integer("norm_num_groups", default: 32, in: 1...1024)
        scalingFactor = Float(try s.number("scaling_factor", default: 0.18215, in: 1e-6...1e6))
        _ = try s.text("act_fn", among: ["silu", "swish"])
        guard try s.names("up_block_types", among: ["UpDecoderBlock2D"]).count == channels.count else {
            throw s.refusal("up_block_types", "is not as long as block_out_channels")
        }
        // The encoder is not used, the size of the training neither; fp32 needs no upcast.
        s.ignore("down_block_types", "sample_size", "force_upcast", "use_quant_conv")
        try s.finish()
        guard channels.allSatisfy({ $0 % groups == 0 }) else {
            throw s.refusal("block_out_channels", "\(channels) are no multiples of \(groups) groups")
        }
    }
}
