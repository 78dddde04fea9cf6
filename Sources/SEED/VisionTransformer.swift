public import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// EVA's vision transformer as BLIP-2 cuts it: a square picture in patches, a class token in front, blocks, and no norm
/// after the last.
///
/// Officially (`eva_vit_g.pth`): 224 × 224 pixels, patches of 14 × 14, 257 tokens of 1408 channels, 16 heads, 39 blocks,
/// a thousand million weights in half precision, which stay mapped: 2 GB of the file, and some 15 MB while a picture is
/// encoded.
public struct VisionTransformer: Sendable {
    let cls_token: Tensor
    let pos_embed: Tensor
    let patch_embed: MappedLinear
    let blocks: [Block]
    /// Pixels of a patch's side.
    let patch: Int
    /// Patches along a side.
    let grid: Int

    /// Loads an `eva_vit_g.pth`. Blocks beyond those that are used, the last norm and the head are passed over; anything
    /// else that is missing, left over or wrongly shaped is an error.
    public init(_ checkpoint: Checkpoint, _ configuration: SEEDConfiguration) throws {
        let depth = configuration.visionDepth
        let found = Weights(checkpoint)["blocks"].childIndices
        let surplus = found.filter { $0 >= depth }.map { TensorPattern("blocks.\($0).**") }
        let weights = Weights(checkpoint, passingOver: surplus + ["norm.**", "head.**"])
        try weights["blocks"].requireConsecutive(found)
        guard found.count >= depth else {
            throw CheckpointError(
                file: checkpoint.url.path,
                reason: "has \(found.count) blocks of the \(depth) that are used; another network needs a "
                    + "\(SEEDConfiguration.fileName) beside its weights")
        }
        let (tokens, size) = try (weights.size("pos_embed", axis: 1, of: 3), weights.size("pos_embed", axis: 2, of: 3))
        patch = try weights.size("patch_embed.proj.weight", axis: 2, of: 4)
        grid = Int(Double(tokens - 1).squareRoot())
        guard grid > 0, grid * grid == tokens - 1, grid * patch <= 4096 else {
            throw CheckpointError(
                file: checkpoint.url.path, tensor: "pos_embed",
                reason: "has \(tokens) tokens, which are not a class token and a square of patches")
        }
        try weights.requireHeads(configuration.visionHeads, share: size, of: "vision transformer")
        cls_token = try weights.tensor("cls_token", [1, 1, size])
        pos_embed = try weights.tensor("pos_embed", [1, tokens, size])
        let projection = weights["patch_embed.proj"]
        patch_embed = try MappedLinear(
            projection, 3 * patch * patch, size, shape: [size, 3, patch, patch],
            bias: projection.tensor("bias", [size]))
        blocks = try (0..<depth).map { index in
            try Block(weights["blocks"][index], size: size, heads: configuration.visionHeads, bias: .withoutKeys)
        }
        try weights.requireAllUsed()
    }

    /// Channels of a token.
    var size: Int { patch_embed.outputs }
    /// Tokens of a picture, the class token among them.
    var tokens: Int { grid * grid + 1 }
    /// Pixels of a picture's side.
    public var side: Int { grid * patch }

    func makeMemory() -> BlockMemory {
        BlockMemory(rows: tokens, size: size, hidden: blocks.map(\.hidden).max() ?? 0)
    }

    /// Adds the way of a picture of `side` × `side` through the network, to `memory.stream`.
    func add(to pieces: Pieces, _ image: @escaping () -> RGBImage, _ memory: BlockMemory, _ trace: SEEDTrace?) {
        let patches = Holder(zeros: grid * grid * patch_embed.inputs)
        pieces.keep(patches)
        pieces.add { _ in cut(image(), into: patches.buffer.pointer) }
        let stream = memory.stream.pointer
        pieces.add(patch_embed, patches.buffer.pointer, rows: grid * grid, into: stream + size)
        pieces.add { [pos_embed, cls_token, size, tokens] _ in
            cls_token.read { stream.update(from: $0, count: size) }
            pos_embed.read { kernels.add_f32(stream, $0, tokens * size) }
        }
        pieces.trace(trace, "patch_plus_pos", stream, [tokens, size])
        for (index, block) in blocks.enumerated() {
            block.add(to: pieces, memory)
            if index == 0 { pieces.trace(trace, "vit_block0", stream, [tokens, size]) }
        }
        pieces.trace(trace, "vit_out", stream, [tokens, size])
    }

    /// Writes the patches of a picture as rows, `[grid · grid, 3, patch, patch]`.
    private func cut(_ image: RGBImage, into rows: UnsafeMutablePointer<Float>) {
        precondition(image.width == side && image.height == side)
        let table = PixelNormalization.table
        var next = rows
        for row in 0..<(grid * grid) {
            for channel in 0..<3 {
                for y in 0..<patch {
                    let line = (row / grid * patch + y) * side + row % grid * patch
                    for x in 0..<patch {
                        next.pointee = table[channel * 256 + Int(image.bytes[(line + x) * 3 + channel])]
                        next += 1
                    }
                }
            }
        }
    }
}
