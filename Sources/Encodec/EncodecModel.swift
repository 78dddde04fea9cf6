import Checkpoints
import Foundation
import Layers
import Tensors

/// Encodec (Défossez et al., 2022) as transformers keeps it: sound ↔ frames of residual codes. At 32 kHz, AnyGPT's music
/// tokenizer, 50 frames a second of 4 codes out of 2048. Reference: `modeling_encodec.py`.
public struct EncodecModel: Sendable {
    /// What the checkpoint holds beside the network: the statistics that the codebooks were trained with.
    static let passedOver: [TensorPattern] = [
        "quantizer.layers.*.codebook.inited",
        "quantizer.layers.*.codebook.cluster_size",
        "quantizer.layers.*.codebook.embed_avg",
    ]

    /// The shape it was built with.
    public let configuration: EncodecConfiguration
    /// Sound → latent.
    public let encoder: SEANetEncoder
    /// Latent ↔ codes.
    public let quantizer: ResidualVectorQuantizer
    /// Latent → sound.
    public let decoder: SEANetDecoder

    /// Loads a folder as Hugging Face keeps it: `config.json`, and `model.safetensors` or `pytorch_model.bin`. A missing,
    /// unused or wrongly shaped tensor is an error that names it.
    public init(folder: URL) throws {
        try self.init(configuration: folder.appending(path: "config.json"), checkpoint: folder)
    }

    /// Loads a configuration and any file or folder that `Checkpoint` opens.
    public init(configuration url: URL, checkpoint: URL) throws {
        let configuration = try EncodecConfiguration(contentsOf: url)
        let weights = Weights(try Checkpoint.open(checkpoint), passingOver: Self.passedOver)
        self.configuration = configuration
        encoder = try SEANetEncoder(weights["encoder"], configuration.seanet, bidirectional: false)
        decoder = try SEANetDecoder(weights["decoder"], configuration.seanet)
        // The number of levels has two formulas in the versions of the reference: the checkpoint knows it.
        let levels = weights["quantizer"]["layers"]
        var codebooks: [Weights] = []
        while levels["\(codebooks.count)"]["codebook"].contains("embed") {
            codebooks.append(levels["\(codebooks.count)"]["codebook"])
        }
        guard !codebooks.isEmpty else { throw EncodecError(file: checkpoint.path, reason: "holds no levels of codes") }
        quantizer = try ResidualVectorQuantizer(
            codebooks: codebooks, codebookSize: configuration.codebookSize,
            dimension: configuration.seanet.dimension)
        try weights.requireAllUsed()
    }

    /// Samples of one frame: 640 at 32 kHz, 20 ms.
    public var hop: Int { configuration.hop }
    /// Levels that the decoder takes.
    public var levels: Int { quantizer.levelCount }
    /// Levels that are encoded: those of the first bandwidth, as the reference does by default.
    public var encodedLevels: Int { min(levels, configuration.levelsAtFirstBandwidth) }

    /// The encoder's latent `[⌈samples / hop⌉, dimension]` of `[samples, channels]`: what the quantiser sees.
    public func latent(_ sound: Tensor) -> Tensor { encoder(sound) }

    /// The codes of mono sound: `[level][frame]`, at the levels of the first bandwidth.
    public func encode(_ wave: [Float]) -> [[Int32]] {
        precondition(configuration.audioChannels == 1, "the model takes \(configuration.audioChannels) channels")
        return quantizer.encode(latent(Tensor(wave, shape: [wave.count, 1])), levels: encodedLevels)
    }

    /// The sound of codes `[level][frame]`: `[hop · frames, channels]`.
    public func decode(_ codes: [[Int32]]) throws(EncodecError) -> Tensor {
        try check(codes)
        return decoder(quantizer.decode(codes))
    }

    /// How far apart two pieces of as many codes `[level][frame]` are, frame by frame: the squared distance of the vectors
    /// that the codes stand for.
    public func distances(_ a: [[Int32]], _ b: [[Int32]]) throws(EncodecError) -> [Float] {
        try check(a)
        try check(b)
        let (left, right, width) = (quantizer.decode(a).values, quantizer.decode(b).values, quantizer.dimension)
        precondition(left.count == right.count, "pieces of different lengths have no distance")
        return (0..<left.count / width).map { frame in
            (frame * width..<(frame + 1) * width).reduce(0) {
                $0 + (left[$1] - right[$1]) * (left[$1] - right[$1])
            }
        }
    }

    func check(_ codes: [[Int32]]) throws(EncodecError) {
        guard codes.count <= levels else {
            throw EncodecError(reason: "\(codes.count) levels of codes for a model with \(levels)")
        }
        for (level, row) in codes.enumerated() {
            guard row.count == codes[0].count else {
                throw EncodecError(reason: "level \(level) has \(row.count) frames, not \(codes[0].count)")
            }
            if let code = row.first(where: { $0 < 0 || $0 >= configuration.codebookSize }) {
                throw EncodecError(
                    reason: "code \(code) at level \(level): expected 0 to \(configuration.codebookSize - 1)")
            }
        }
    }
}
