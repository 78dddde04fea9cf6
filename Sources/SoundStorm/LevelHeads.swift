import Checkpoints
import Tensors

/// What turns a frame into logits, a level at a time: logits[q] = W[q] norm(heads[q] x) + b[q].
///
/// The reference makes all levels of all frames in every pass; most of them are never looked at.
struct LevelHeads: Sendable {
    let heads: [Projection]
    let norm: LayerNorm
    let toLogits: [Projection]

    init(_ weights: Weights, _ configuration: SoundStormConfiguration) throws {
        let (dim, levels, codes) = (configuration.dim, configuration.levels, configuration.codes)
        let weight = try weights["heads.0"].tensor("weight", [levels * dim, dim])
        let bias = try weights["heads.0"].tensor("bias", [levels * dim])
        heads = (0..<levels).map { level in
            let rows = level * dim..<(level + 1) * dim
            return Projection(PackedMatrix(linear: weight[rows: rows]), bias: bias[rows: rows])
        }
        norm = try LayerNorm(weights["to_logits.0"], dim)
        let last = try weights["to_logits.2"].tensor("weight", [levels, dim, codes])
        let lastBias = try weights["to_logits.2"].tensor("bias", [1, 1, levels, codes]).reshaped([levels, codes])
        toLogits = (0..<levels).map { level in
            let (weight, bias) = (last[rows: level..<level + 1], lastBias[rows: level..<level + 1])
            return Projection(
                PackedMatrix(transposed: weight.reshaped([dim, codes])), bias: bias.reshaped([codes]))
        }
    }

    /// A few frames at one level: where their logits lie.
    struct Tile {
        let level: Int
        let rows: Range<Int>
        /// `[rows, dim]`, before the norm.
        let embeddings: UnsafePointer<Float>
        /// `[rows, codes]`, free to be overwritten.
        let logits: UnsafeMutablePointer<Float>
    }

    /// Computes the logits of these levels at these frames, out of `space.stream`, and hands them over tile by tile, on
    /// several threads.
    func apply(levels: Range<Int>, rows: Range<Int>, _ space: Workspace, _ body: (Tile) -> Void) {
        let (dim, codes) = (norm.weight.count, toLogits[0].matrix.outputs)
        let tile = Workspace.outputTile
        let tilesOfLevel = (rows.count + tile - 1) / tile
        space.forEach(levels.count * tilesOfLevel) { index, share in
            let level = levels.lowerBound + index / tilesOfLevel
            let first = rows.lowerBound + index % tilesOfLevel * tile
            let count = min(tile, rows.upperBound - first)
            let embeddings = space.embeddings.pointer + share * tile * dim
            let normed = space.normedEmbeddings.pointer + share * tile * dim
            let logits = space.logits.pointer + share * tile * codes
            heads[level].apply(Workspace.row(space.stream, first, dim), rows: count, into: embeddings)
            norm.apply(embeddings, rows: count, into: normed)
            toLogits[level].apply(normed, rows: count, into: logits)
            body(Tile(level: level, rows: first..<first + count, embeddings: embeddings, logits: logits))
        }
    }
}
