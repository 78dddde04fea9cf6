import Checkpoints
import Foundation

/// The sizes of a SoundStorm network.
public struct SoundStormConfiguration: Sendable, Equatable {
    /// Width of the Conformer.
    public let dim: Int
    /// Number of Conformer blocks.
    public let depth: Int
    /// Attention heads.
    public let heads: Int
    /// Width of an attention head, even.
    public let headSize: Int
    /// Width of the feed-forward blocks.
    public let feedForwardSize: Int
    /// Channels of the depthwise convolution.
    public let convolutionSize: Int
    /// Taps of the depthwise convolution.
    public let kernelSize: Int
    /// Acoustic levels that are filled in.
    public let levels: Int
    /// Codes of each acoustic level.
    public let codes: Int
    /// Semantic codes.
    public let semanticCodes: Int

    /// The id that stands for "not known yet": one above the codes.
    public var maskID: Int { codes }
    /// Width of the attention's queries, keys and values: all heads.
    public var attentionSize: Int { heads * headSize }

    /// Reads the sizes off the tensors, splits the attention into heads, and holds all of it against `description`.
    ///
    /// Heads that nobody describes are 128 wide, as in the official checkpoint, where 128 divides the attention's width,
    /// else 64 wide. Throws `CheckpointError` when a tensor is missing or has another rank than it must, `SoundStormError` when a
    /// described value is not the checkpoint's and when the heads stay unknown.
    init(of weights: Weights, described description: SoundStormDescription) throws {
        func shape(_ name: String, rank: Int) throws -> [Int] {
            guard let info = weights.info(name) else {
                throw CheckpointError(file: weights.checkpoint.url.path, tensor: name, reason: "is missing")
            }
            guard info.shape.count == rank, info.shape.allSatisfy({ $0 > 0 }) else {
                throw CheckpointError(
                    file: info.file, tensor: name, reason: "has shape \(info.shape); the network has \(rank) extents")
            }
            return info.shape
        }
        let layers = weights["net.conformer.layers"].childIndices
        guard !layers.isEmpty, layers == Array(0..<layers.count) else {
            throw SoundStormError("load", "net.conformer.layers", "blocks \(layers), expected 0, 1, 2 …")
        }
        let block = "net.conformer.layers.0"
        let convolution = ConvolutionModule.Layout(of: weights[block]["conv"])
        let semantic = try shape("semantic_token_emb.weight", rank: 2)
        let logits = try shape("net.to_logits.2.weight", rank: 3)
        (semanticCodes, dim) = (semantic[0], semantic[1])
        (levels, codes) = (logits[0], logits[2])
        depth = layers.count
        feedForwardSize = try shape("\(block).ff1.fn.fn.net.0.weight", rank: 2)[0]
        let filter = try shape("\(block).conv.\(convolution.depthwise).weight", rank: 3)
        (convolutionSize, kernelSize) = (filter[0], filter[2])
        let inner = try shape("\(block).attn.fn.to_q.weight", rank: 2)[0]
        (heads, headSize) = try Self.split(inner, description)

        try Self.hold(description.dim, "dim", against: dim)
        try Self.hold(description.depth, "depth", against: depth)
        try Self.hold(description.feedForwardFactor, times: dim, "ff_mult · dim", against: feedForwardSize)
        try Self.hold(
            description.convolutionFactor, times: dim, "conv_expansion_factor · dim", against: convolutionSize)
        try Self.hold(description.kernelSize, "conv_kernel_size", against: kernelSize)
        try Self.hold(description.levels, "num_quantizers", against: levels)
        try Self.hold(description.codes, "codebook_size", against: codes)
        try Self.hold(description.semanticCodes, "num_semantic_token_ids", against: semanticCodes)
    }

    private static func hold(
        _ factor: Int?, times unit: Int = 1, _ name: String, against found: Int
    ) throws(SoundStormError) {
        guard let factor else { return }
        let (product, overflow) = factor.multipliedReportingOverflow(by: unit)
        let described = overflow ? Int.max : product
        guard described != found else { return }
        throw SoundStormError("load", name, "the description says \(described), the checkpoint's tensors say \(found)")
    }

    /// Heads and their width, of an attention that is `inner` wide in all.
    private static func split(_ inner: Int, _ description: SoundStormDescription) throws(SoundStormError) -> (Int, Int)
    {
        let heads: Int
        switch (description.heads, description.headSize) {
        case (let described?, let size?):
            guard described.multipliedReportingOverflow(by: size) == (inner, false) else {
                throw SoundStormError(
                    "load", "heads · dim_head",
                    "the description says \(described) · \(size), the checkpoint's to_q is \(inner) wide")
            }
            heads = described
        case (let described?, nil): heads = described
        case (nil, let size?): heads = inner / size
        case (nil, nil): heads = inner.isMultiple(of: 128) ? inner / 128 : inner / 64
        }
        guard heads > 0, inner.isMultiple(of: heads), (inner / heads).isMultiple(of: 2),
            description.headSize == nil || description.headSize == inner / heads,
            description.heads != nil || description.headSize != nil || (inner / heads).isMultiple(of: 64)
        else {
            let said = [description.heads.map { "heads \($0)" }, description.headSize.map { "dim_head \($0)" }]
            let words = said.compactMap(\.self).joined(separator: ", ")
            throw SoundStormError(
                "load", "the attention",
                "to_q is \(inner) wide, which does not split into even heads by "
                    + (words.isEmpty ? "the usual 128 or 64: say dim_head in \(SoundStormDescription.fileName)" : words)
            )
        }
        return (heads, inner / heads)
    }
}
