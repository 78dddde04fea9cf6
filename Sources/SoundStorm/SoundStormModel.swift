import Checkpoints
import Foundation
import Tensors

/// SoundStorm (arXiv:2305.09636) as AnyGPT uses it: given the semantic level of speech, it fills the acoustic levels of
/// SpeechTokenizer in, in the voice of a prompt.
///
/// Immutable weights; what a generation changes lives in a `GenerationRun`. Computes in fp32 what the reference
/// `soundstorm_speechtokenizer` computes.
public final class SoundStormModel: Sendable {
    /// The network's sizes.
    public let configuration: SoundStormConfiguration

    private let semanticEmbedding: Tensor
    private let codeEmbeddings: Tensor
    private let blocks: [ConformerBlock]
    let heads: LevelHeads

    /// What some checkpoints hold beside the network: buffers that follow from its sizes.
    public static let passedOver: [TensorPattern] = [
        "net.conformer.rotary_emb.inv_freq", "net.quantizer_offsets", "net.mask_tokens",
    ]

    /// Builds the network from a state dict in either layout of the convolution module.
    ///
    /// Throws `CheckpointError` for a missing, unused or wrongly shaped tensor, `SoundStormError` when the description
    /// is not that of the checkpoint or does not say enough.
    public init(_ weights: Weights, described description: SoundStormDescription = SoundStormDescription()) throws {
        let configuration = try SoundStormConfiguration(of: weights, described: description)
        let (dim, levels, codes) = (configuration.dim, configuration.levels, configuration.codes)
        self.configuration = configuration
        semanticEmbedding = try weights["semantic_token_emb"].tensor("weight", [configuration.semanticCodes, dim])
        codeEmbeddings = try weights["net.code_embeds"].tensor("weight", [levels * (codes + 1), dim])
        blocks = try (0..<configuration.depth).map { index in
            try ConformerBlock(weights["net.conformer.layers"][index], configuration)
        }
        heads = try LevelHeads(weights["net"], configuration)
        try weights.requireAllUsed()
    }

    /// Loads a `.pt` state dict (or a safetensors file with the same names). Without a description, the file
    /// `soundstorm.json` beside it is read when there is one.
    public convenience init(contentsOf url: URL, described description: SoundStormDescription? = nil) throws {
        let beside = url.deletingLastPathComponent().appending(path: SoundStormDescription.fileName)
        var description = description ?? SoundStormDescription()
        if description == SoundStormDescription(), FileManager.default.fileExists(atPath: beside.path) {
            description = try SoundStormDescription(contentsOf: beside)
        }
        let weights = Weights(try Checkpoint.open(url), passingOver: Self.passedOver)
        try self.init(weights, described: description)
    }

    /// A tensor within a forward pass, for who compares them with a reference.
    public enum Stage: Sendable, Equatable {
        /// `[frames, dim]`: the sum of a frame's embeddings.
        case inputToConformer
        /// `[frames, dim]`: the output of a Conformer block.
        case afterBlock(Int)
        /// `[frames · levels, dim]`: what the heads make of each frame, before the norm and the logits.
        case embeddings
    }

    /// One forward pass: logits `[frames · levels, codes]`, row frame · levels + level.
    ///
    /// - Parameters:
    ///   - tokens: acoustic ids `[frames, levels]`, `maskID` where unknown.
    ///   - condition: the semantic id of each frame; `semanticCodes`, the reference's padding, adds nothing.
    ///   - visible: false for frames that the others must not see; nil when all are visible.
    ///   - observer: is given the tensors inside.
    /// - Throws: `SoundStormError` for an id out of range, or when the three don't have equally many frames.
    public func forward(
        tokens: TokenGrid, condition: [Int], visible: [Bool]? = nil, observer: ((Stage, Tensor) -> Void)? = nil
    ) throws(SoundStormError) -> Tensor {
        let (dim, levels, codes) = (configuration.dim, configuration.levels, configuration.codes)
        let frames = condition.count
        guard tokens.levels == levels, tokens.frames == frames, (visible?.count ?? frames) == frames else {
            throw SoundStormError(
                "run", "a pass",
                "\(tokens.frames) frames of \(tokens.levels) levels, \(frames) semantic ids and "
                    + "\(visible?.count ?? frames) mask values; the network has \(levels) levels")
        }
        try tokens.require("run", "a pass", below: { _ in codes + 1 })
        try TokenGrid(levels: 1, values: condition)
            .require("run", "a pass", below: { _ in configuration.semanticCodes + 1 })
        let space = Workspace(configuration, frames: frames)
        space.prepare(frames: frames)
        let rotary = RotaryTable(frames: frames, headSize: configuration.headSize)
        run(tokens.values, condition, rotary, visible: visible, space, observer: observer)

        var embeddings = Tensor(uninitialized: [observer == nil ? 0 : frames * levels, dim])
        let logits = Tensor(generating: [frames * levels, codes]) { logits in
            embeddings.mutate { embeddings in
                heads.apply(levels: 0..<levels, rows: 0..<frames, space) { tile in
                    for (row, frame) in tile.rows.enumerated() {
                        let position = frame * levels + tile.level
                        (logits + position * codes).update(from: tile.logits + row * codes, count: codes)
                        guard observer != nil else { continue }
                        (embeddings + position * dim).update(from: tile.embeddings + row * dim, count: dim)
                    }
                }
            }
        }
        observer?(.embeddings, embeddings)
        return logits
    }

    /// Leaves the Conformer's output for these ids (all in range) in `space.stream`.
    func run(
        _ tokens: [Int], _ condition: [Int], _ rotary: RotaryTable, visible: [Bool]? = nil, _ space: Workspace,
        observer: ((Stage, Tensor) -> Void)? = nil
    ) {
        precondition(space.frames == condition.count && rotary.cosine.count == condition.count * rotary.half)
        func show(_ stage: Stage) {
            guard let observer else { return }
            let size = configuration.dim
            observer(
                stage,
                Tensor(generating: [space.frames, size]) {
                    $0.update(from: space.stream.pointer, count: space.frames * size)
                })
        }
        space.forEachShare { rows, _ in embed(tokens, condition, rows, space) }
        show(.inputToConformer)
        for (index, block) in blocks.enumerated() {
            block.apply(rotary, visible: visible, space)
            show(.afterBlock(index))
        }
    }

    /// Sums the embeddings of these frames: the reference's tables have a row more than codes for each level, its mask.
    private func embed(_ tokens: [Int], _ condition: [Int], _ rows: Range<Int>, _ space: Workspace) {
        let (dim, levels) = (configuration.dim, configuration.levels)
        codeEmbeddings.read { table in
            semanticEmbedding.read { semantic in
                for frame in rows {
                    let sum = Workspace.row(space.stream, frame, dim)
                    sum.update(repeating: 0, count: dim)
                    for level in 0..<levels {
                        let entry = level * (configuration.codes + 1) + tokens[frame * levels + level]
                        kernels.add_f32(sum, table + entry * dim, dim)
                    }
                    if condition[frame] < configuration.semanticCodes {
                        kernels.add_f32(sum, semantic + condition[frame] * dim, dim)
                    }
                }
            }
        }
    }
}
