import Checkpoints
public import Foundation
public import Images

/// SEED-2's image tokenizer: pictures in, 32 ids out of 8192; ids in, the embedding of a picture out.
///
/// Computes in fp32 from weights in any floating-point type. The weights stay mapped: officially 2 GB of `eva_vit_g.pth`
/// and what is used of `seed_quantizer.pt`, which the system may drop and read again; a picture that is encoded takes
/// about 20 MB beside them. The official run halves the whole model, so its ids can differ where two codes are
/// about equally near.
public struct SEEDModel: Sendable {
    /// The vision transformer.
    public let vision: VisionTransformer
    /// Everything behind it.
    public let quantizer: SEEDQuantizer

    /// The official names of the two files.
    public static let visionFile = "eva_vit_g.pth"
    /// The official names of the two files.
    public static let quantizerFile = "seed_quantizer.pt"

    /// Loads a folder with `seed_quantizer.pt` and `eva_vit_g.pth`.
    ///
    /// - Parameter configuration: what the weights don't tell; nil for what the folder's `seed_config.json` says, or the
    ///   official network.
    /// - Throws: a `CheckpointError` or `SEEDError` with file, tensor and reason.
    public init(folder: URL, configuration: SEEDConfiguration? = nil) throws {
        let configuration = try configuration ?? SEEDConfiguration(folder: folder)
        for name in [Self.quantizerFile, Self.visionFile] {
            guard FileManager.default.fileExists(atPath: folder.appending(path: name).path) else {
                throw SEEDError.unsuitableFolder(
                    path: folder.path,
                    reason: "has no \(name); a SEED tokenizer's folder has \(Self.quantizerFile) and \(Self.visionFile)"
                )
            }
        }
        try self.init(
            vision: VisionTransformer(.open(folder.appending(path: Self.visionFile)), configuration),
            quantizer: SEEDQuantizer(.open(folder.appending(path: Self.quantizerFile)), configuration))
    }

    /// Joins the two parts, which must fit.
    public init(vision: VisionTransformer, quantizer: SEEDQuantizer) throws {
        guard vision.size == quantizer.visionSize else {
            throw SEEDError.unsuitableFolder(
                path: Self.quantizerFile,
                reason: "is made for a vision transformer of \(quantizer.visionSize) channels, and "
                    + "\(Self.visionFile) has \(vision.size)")
        }
        self.vision = vision
        self.quantizer = quantizer
    }

    /// The ids of a picture. Takes seconds at full size; see `SEEDTokenizing` for pieces.
    public func encode(_ image: RGBImage, trace: SEEDTrace? = nil) -> [Int32] {
        let run = SEEDTokenizing(image, self, trace: trace)
        while run.step() {}
        return run.ids
    }
}
