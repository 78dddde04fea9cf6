import Checkpoints
import Foundation
import Layers
import Tensors

/// SpeechTokenizer (Zhang et al., ICLR 2024): 16 kHz speech ↔ 50 frames a second of residual codes, whose first level
/// carries what is said and the others how it sounds. Reference: `speechtokenizer/model.py`.
public struct SpeechTokenizerModel: Sendable {
    /// What the checkpoint holds beside the network, by name: the distillation's projection, and the statistics that
    /// the codebooks were trained with (`embed_avg` is not `embed`).
    static let passedOver: [TensorPattern] = [
        "transform.weight", "transform.bias",
        "quantizer.vq.layers.*._codebook.inited",
        "quantizer.vq.layers.*._codebook.cluster_size",
        "quantizer.vq.layers.*._codebook.embed_avg",
    ]

    /// The shape it was built with.
    public let configuration: SpeechTokenizerConfiguration
    let encoder: SEANetEncoder
    let quantizer: ResidualVectorQuantizer
    let decoder: SEANetDecoder

    /// Loads a checkpoint (`ckpt.dev`, or any file that `Checkpoint` opens) and the `config.json` that belongs to it.
    /// A missing, unused or wrongly shaped tensor is an error that names it.
    public init(configuration url: URL, checkpoint: URL) throws {
        try self.init(
            SpeechTokenizerConfiguration(contentsOf: url),
            Weights(Checkpoint.open(checkpoint), passingOver: Self.passedOver))
    }

    /// Loads `config.json` and `ckpt.dev` from a folder.
    public init(folder: URL) throws {
        try self.init(
            configuration: folder.appending(path: "config.json"), checkpoint: folder.appending(path: "ckpt.dev"))
    }

    init(_ configuration: SpeechTokenizerConfiguration, _ weights: Weights) throws {
        self.configuration = configuration
        encoder = try SEANetEncoder(
            weights["encoder"], configuration.seanet, bidirectional: configuration.bidirectional)
        let levels = weights["quantizer"]["vq"]["layers"]
        quantizer = try ResidualVectorQuantizer(
            codebooks: (0..<configuration.levels).map { levels["\($0)"]["_codebook"] },
            codebookSize: configuration.codebookSize, dimension: configuration.dimension)
        decoder = try SEANetDecoder(weights["decoder"], configuration.seanet)
        try weights.requireAllUsed()
    }

    /// Samples of one frame: 320 at 16 kHz, 20 ms.
    public var hop: Int { configuration.seanet.hop }

    /// The encoder's latent `[⌈samples / hop⌉, dimension]`: what the quantiser sees.
    public func latent(_ wave: [Float]) -> Tensor { encoder(Tensor(wave, shape: [wave.count, 1])) }

    /// The codes of a whole waveform: `[level][frame]`, at the first `levels` levels (all by default).
    public func encode(_ wave: [Float], levels: Int? = nil) -> [[Int32]] {
        quantizer.encode(latent(wave), levels: levels)
    }

    /// The waveform of codes `[level][frame]`, the first row being level `start`: `hop` samples for each frame.
    public func decode(_ codes: [[Int32]], from start: Int = 0) throws -> [Float] {
        try check(codes, from: start)
        return decoder(quantizer.decode(codes, from: start)).values
    }

    /// A fresh streaming encoder.
    public func makeEncoder() -> SpeechEncoderStream { SpeechEncoderStream(self) }

    /// A fresh streaming decoder.
    public func makeDecoder() -> SpeechDecoderStream { SpeechDecoderStream(self) }

    func check(_ codes: [[Int32]], from start: Int) throws {
        guard start >= 0, start + codes.count <= configuration.levels else {
            throw SpeechTokenizerError(
                file: "", reason: "levels \(start)..<\(start + codes.count) of \(configuration.levels)")
        }
        for (level, row) in codes.enumerated() {
            guard row.count == codes[0].count else {
                throw SpeechTokenizerError(
                    file: "", reason: "level \(start + level) has \(row.count) frames, not \(codes[0].count)")
            }
            if let code = row.first(where: { $0 < 0 || $0 >= configuration.codebookSize }) {
                throw SpeechTokenizerError(
                    file: "",
                    reason: "code \(code) at level \(start + level): expected 0 to \(configuration.codebookSize - 1)")
            }
        }
    }
}
