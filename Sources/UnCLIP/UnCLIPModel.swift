import Checkpoints
import Compute
import Foundation
import Tensors

/// Stable unCLIP 2.1: an image embedding → a picture. diffusers' `StableUnCLIPImg2ImgPipeline` as AnyGPT calls it, with
/// the empty prompt and noise level 0.
///
///     let model = try UnCLIPModel(folder: url)
///     let run = try model.makeRun(embedding: embedding, seed: 7)
///     while run.advance() { await Task.yield() }
///     let picture = run.picture
///
/// Everything is computed in fp32, whatever the weights are stored in.
public struct UnCLIPModel: Sendable {
    /// The shape of the UNet.
    public let configuration: UNetConfiguration
    /// The scheduler.
    public let scheduler: PNDMScheduler

    /// What becomes of an embedding before the UNet sees it.
    public let embedding: ImageEmbedding
    /// The empty prompt.
    public let prompt: Prompt
    let unet: UNet
    /// The decoder of latents.
    public let vae: VAEDecoder

    /// The empty prompt: its ids, and what the text encoder made of them before it was let go.
    public struct Prompt: Sendable {
        /// Token ids: start, end, padding.
        public let ids: [Int]
        /// What the UNet attends to, and what came before it.
        public let states: TextStates
    }

    /// Loads a pipeline's folder. Every tensor is used or known to be of no use here; a setting that would change the
    /// computation and is not supported is refused by name. The feature extractor and the image encoder are not looked at.
    ///
    /// - Throws: `UnCLIPError` or `CheckpointError`, which are one line with file and reason.
    public init(folder url: URL) throws {
        let settings = try UnCLIPSettings(folder: url)
        scheduler = settings.scheduler
        configuration = settings.unet
        let text = settings.text
        let ids = try EmptyPrompt(folder: url.appending(path: "tokenizer"), positions: text.positions).ids
        let textWeights = Weights(
            try Checkpoint.open(
                UnCLIPFolder.weightsFile(url.appending(path: "text_encoder"), "model", pickle: "pytorch_model")),
            passingOver: TextEncoder.passedOver)
        prompt = Prompt(ids: ids, states: try TextEncoder.states(of: ids, textWeights, text))
        try textWeights.requireAllUsed()

        let normaliser = try UnCLIPFolder.weights(url.appending(path: "image_normalizer"))
        embedding = try ImageEmbedding(normaliser, size: settings.embeddingSize, schedule: settings.noising)
        try normaliser.requireAllUsed()
        let unetWeights = try UnCLIPFolder.weights(url.appending(path: "unet"))
        unet = try UNet(unetWeights, settings.unet, text: prompt.states.normed)
        try unetWeights.requireAllUsed()
        vae = try VAEDecoder(folder: url.appending(path: "vae"), settings.vae)
    }

    /// Numbers of an image embedding: 1024.
    public var embeddingSize: Int { embedding.mean.count }

    /// The size of the pictures that it was trained to draw, in pixels: 768 × 768.
    public var standardSize: PictureSize {
        let side = configuration.sampleSize * vae.configuration.scale
        return PictureSize(width: side, height: side)
    }

    /// Draws a picture on the calling thread, which must be one that may compute for minutes.
    ///
    /// - Parameters:
    ///   - embedding: what the picture shows, `embeddingSize` numbers.
    ///   - seed: what the random numbers come from: the same seed draws the same picture, however many threads compute.
    ///   - steps: of the scheduler; the network is called once more.
    ///   - guidance: how much the embedding is stressed; at most 1 means not at all, in half the time.
    ///   - size: nil for the one that it was trained at.
    ///   - checkpoint: is called between pieces of about 15 ms; what it throws ends the drawing.
    public func generate(
        embedding: [Float], seed: UInt64, steps: Int = 20, guidance: Float = 10, size: PictureSize? = nil,
        checkpoint: (PictureRun.Progress) throws -> Void = { _ in }
    ) throws -> RGBPicture {
        let run = try makeRun(embedding: embedding, seed: seed, steps: steps, guidance: guidance, size: size)
        try checkpoint(run.progress)
        while run.advance() { try checkpoint(run.progress) }
        return run.picture
    }

    /// Makes ready to draw a picture; see `generate` for what the parameters mean.
    ///
    /// - Throws: `UnCLIPError` for an embedding of another size or with numbers that are none, for steps and sizes that
    ///   can't be.
    public func makeRun(
        embedding: [Float], seed: UInt64, steps: Int = 20, guidance: Float = 10, size: PictureSize? = nil
    ) throws(UnCLIPError) -> PictureRun {
        let size = size ?? standardSize
        let (height, width) = try latentSize(size)
        var normals = SeededNormals(seed: seed)
        let noise = normals.draw(embeddingSize)
        let latents = normals.draw(configuration.latentChannels * height * width)
        return try PictureRun(
            self, embedding: embedding, noise: noise,
            latents: Tensor(latents, shape: [configuration.latentChannels, height, width]), steps: steps,
            guidance: guidance)
    }

    /// The largest picture in pixels of one side.
    public static let largestSide = 2048

    private func latentSize(_ size: PictureSize) throws(UnCLIPError) -> (height: Int, width: Int) {
        let scale = vae.configuration.scale
        for side in [size.width, size.height] {
            guard side >= scale, side <= Self.largestSide, side % scale == 0 else {
                throw UnCLIPError(
                    "draw", "a picture of \(size.width) × \(size.height)",
                    "both sides must be multiples of \(scale), up to \(Self.largestSide)")
            }
        }
        return (size.height / scale, size.width / scale)
    }

    /// Bytes that drawing a picture of this size takes beside the model, at its widest.
    public func memory(size: PictureSize, guidance: Float = 10) throws(UnCLIPError) -> Int {
        let (height, width) = try latentSize(size)
        let drawing = unet.plan(images: guidance > 1 ? 2 : 1, height: height, width: width).plan
        return max(PlanRun.bytes(drawing), PlanRun.bytes(vae.plan(height: height, width: width).plan))
    }
}

/// A size in pixels.
public struct PictureSize: Sendable, Equatable {
    /// Pixels of a row.
    public var width: Int
    /// Rows.
    public var height: Int

    /// A size.
    public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
}

/// A picture of 8 bits for each of red, green and blue.
public struct RGBPicture: Sendable, Equatable {
    /// Its size.
    public let size: PictureSize
    /// Red, green, blue of each pixel, row by row from the top left.
    public let pixels: [UInt8]

    /// Values of −1 to 1, `[height, width, 3]`, as 8 bits: x / 2 + ½, clamped, · 255, rounded half to even.
    init(size: PictureSize, _ values: UnsafeBufferPointer<Float>) {
        self.size = size
        pixels = values.map { value in
            // What is no number becomes black, as it would be in the reference's conversion.
            let level = (min(max(value / 2 + 0.5, 0), 1) * 255).rounded(.toNearestOrEven)
            return level.isFinite ? UInt8(level) : 0
        }
    }
}
