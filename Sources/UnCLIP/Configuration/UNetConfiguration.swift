import Foundation

/// What `unet/config.json` says: a `UNet2DConditionModel` of diffusers with class labels that are projected.
public struct UNetConfiguration: Sendable, Equatable {
    /// Channels of the latents.
    public var latentChannels = 4
    /// The latents' height and width that the model was trained at.
    public var sampleSize = 96
    /// Channels of each level.
    public var channels = [320, 640, 1280, 1280]
    /// Residual blocks of each level on the way down; one more on the way up.
    public var layersPerBlock = 2
    /// Which levels attend, on the way down and (in its own order) on the way up.
    public var downAttends = [true, true, true, false]
    public var upAttends = [false, true, true, true]
    /// Heads of each level.
    public var heads = [5, 10, 20, 20]
    /// Transformer blocks of each level.
    public var transformerLayers = [1, 1, 1, 1]
    /// Width of the text's states.
    public var crossAttentionSize = 1024
    /// Width of the class labels: twice the image embedding.
    public var classSize = 2048
    /// Groups and epsilon of the residual blocks' norms.
    public var groups = 32
    public var epsilon: Float = 1e-5
    /// The sinusoid of the time: whether cosines come first, and the shift of its frequencies.
    public var cosineFirst = true
    public var frequencyShift = 0.0

    /// The official shape: Stable Diffusion 2.1 unCLIP.
    public init() {}

    /// Width of the time's embedding.
    public var timeSize: Int { 4 * channels[0] }

    /// Pixels of a level at the size that the model was trained at.
    func pixels(_ level: Int) -> Int { (sampleSize >> level) * (sampleSize >> level) }

    /// Reads and checks a `config.json`.
    public init(contentsOf url: URL) throws(UnCLIPError) {
        let s = try Settings(url)
        try s.expect(["_class_name": .text("UNet2DConditionModel")])
        latentChannels = try s.integer("in_channels", default: 4, in: 1...64)
        guard try s.integer("out_channels", default: 4, in: 1...64) == latentChannels else {
            throw s.refusal("out_channels", "is not in_channels, \(latentChannels)")
        }
        sampleSize = try s.integer("sample_size", default: 64, in: 1...1024)
        channels = try s.integers("block_out_channels", in: 1...16384)
        let levels = channels.count
        layersPerBlock = try s.integer("layers_per_block", default: 2, in: 1...16)
        let down = try s.names("down_block_types", among: ["CrossAttnDownBlock2D", "DownBlock2D"])
        let up = try s.names("up_block_types", among: ["CrossAttnUpBlock2D", "UpBlock2D"])
        guard down.count == levels, up.count == levels else {
            throw s.refusal("block_out_channels", "has \(levels) levels, the block types \(down.count) and \(up.count)")
        }
        (downAttends, upAttends) = (down.map { $0.hasPrefix("Cross") }, up.map { $0.hasPrefix("Cross") })
        // The reference's name for it is wrong: these are numbers of heads, unless a later file says otherwise.
        heads = try s.integers("attention_head_dim", count: levels, default: 8, in: 1...1024)
        if s.has("num_attention_heads") { heads = try s.integers("num_attention_heads", count: levels, in: 1...1024) }
        transformerLayers = try s.integers("transformer_layers_per_block", count: levels, default: 1, in: 1...32)
        crossAttentionSize = try s.integer("cross_attention_dim", in: 1...16384)
        let classes = s.take("class_embed_type")
        guard classes == .text("projection") else {
            throw s.refusal(
                "class_embed_type", "is \(classes ?? .null), not \"projection\": this is no unCLIP model")
        }
        classSize = try s.integer("projection_class_embeddings_input_dim", in: 2...65536)
        groups = try s.integer("norm_num_groups", default: 32, in: 1...1024)
        epsilon = Float(try s.number("norm_eps", default: 1e-5, in: 0...1))
        cosineFirst = try s.flag("flip_sin_to_cos", default: true)
        frequencyShift = try s.number("freq_shift", default: 0, in: -1...1)
        _ = try s.text("act_fn", among: ["silu", "swish"])
        try s.expect([
            "mid_block_type": .text("UNetMidBlock2DCrossAttn"), "center_input_sample": .flag(false),
            "downsample_padding": .number(1), "mid_block_scale_factor": .number(1),
            "only_cross_attention": .flag(false),
            "dual_cross_attention": .flag(false), "resnet_time_scale_shift": .text("default"),
            "resnet_skip_time_act": .flag(false), "resnet_out_scale_factor": .number(1),
            "time_embedding_type": .text("positional"), "conv_in_kernel": .number(3), "conv_out_kernel": .number(3),
            "attention_type": .text("default"), "class_embeddings_concat": .flag(false),
        ])
        // A linear projection and a convolution of one pixel are the same; fp32 is computed throughout; nothing is
        // dropped; no further embedding is added, so that the heads of one don't matter.
        s.ignore("use_linear_projection", "upcast_attention", "dropout", "addition_embed_type_num_heads")
        try s.finish()
        for (channels, heads) in zip(channels, heads) {
            guard channels % groups == 0 else {
                throw s.refusal("norm_num_groups", "is \(groups), which does not divide \(channels) channels")
            }
            guard channels % heads == 0 else {
                throw s.refusal("attention_head_dim", "has \(heads) heads, which do not divide \(channels) channels")
            }
        }
        guard channels[0] % 2 == 0, classSize % 2 == 0 else {
            throw s.refusal("block_out_channels", "and the class labels must be even")
        }
    }
}
