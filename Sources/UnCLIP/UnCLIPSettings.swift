import Foundation

/// What the configurations of a pipeline's folder say, held against each other; no weights are read.
public struct UnCLIPSettings: Sendable {
    /// How the latents are moved from step to step.
    public let scheduler: PNDMScheduler
    /// The shape of the UNet.
    public let unet: UNetConfiguration
    /// The shape of the decoder.
    public let vae: VAEConfiguration
    /// Numbers of an image embedding.
    public let embeddingSize: Int
    let text: TextConfiguration
    let noising: DiffusionSchedule

    /// Reads and checks the configurations of a folder.
    public init(folder url: URL) throws(UnCLIPError) {
        let folder = try UnCLIPFolder(url)
        scheduler = try PNDMScheduler(contentsOf: folder.file("scheduler", "scheduler_config.json"))
        unet = try UNetConfiguration(contentsOf: folder.file("unet", "config.json"))
        vae = try VAEConfiguration(contentsOf: folder.file("vae", "config.json"))
        text = try TextConfiguration(contentsOf: folder.file("text_encoder", "config.json"))
        embeddingSize = try ImageEmbedding.size(folder.file("image_normalizer", "config.json"))
        noising = try ImageEmbedding.schedule(folder.file("image_noising_scheduler", "scheduler_config.json"))
        func require(_ isTrue: Bool, _ reason: String) throws(UnCLIPError) {
            guard isTrue else { throw UnCLIPError("load", url.path, reason) }
        }
        try require(
            unet.classSize == 2 * embeddingSize,
            "the UNet's class labels have \(unet.classSize) numbers, twice the normaliser's are \(2 * embeddingSize)")
        try require(
            unet.crossAttentionSize == text.hiddenSize,
            "the UNet attends to \(unet.crossAttentionSize) numbers, the text encoder has \(text.hiddenSize)")
        try require(
            unet.latentChannels == vae.latentChannels,
            "the UNet has \(unet.latentChannels) channels of latents, the VAE \(vae.latentChannels)")
    }

    /// The size of the pictures that the model was trained to draw, in pixels: 768 × 768.
    public var standardSize: PictureSize {
        PictureSize(width: unet.sampleSize * vae.scale, height: unet.sampleSize * vae.scale)
    }
}
