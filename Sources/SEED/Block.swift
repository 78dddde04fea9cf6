import Checkpoints
import Layers
import Tensors

/// A transformer block with its norms in front: x += proj(attention(norm1(x))), x += fc2(gelu(fc1(norm2(x)))).
struct Block: Sendable {
    let norm1: LayerNorm
    let qkv: MappedLinear
    let proj: MappedLinear
    let norm2: LayerNorm
    let fc1: MappedLinear
    let fc2: MappedLinear
    let heads: Int

    /// Where the queries, keys and values have their bias.
    enum Bias {
        /// One for all three.
        case fused
        /// Queries and values have one each, keys have none (EVA).
        case withoutKeys
    }

    private static let epsilon: Float = 1e-6

    init(_ weights: Weights, size: Int, heads: Int, bias: Bias) throws(CheckpointError) {
        let hidden = try weights.size("mlp.fc1.weight", axis: 0, of: 2)
        norm1 = try LayerNorm(weights["norm1"], size, epsilon: Self.epsilon)
        norm2 = try LayerNorm(weights["norm2"], size, epsilon: Self.epsilon)
        let attention = weights["attn"]
        let joined =
            switch bias {
            case .fused: try attention["qkv"].tensor("bias", [3 * size])
            case .withoutKeys:
                Tensor.concatenated([
                    try attention.tensor("q_bias", [size]), Tensor(zeros: [size]),
                    try attention.tensor("v_bias", [size]),
                ])
            }
        qkv = try MappedLinear(attention["qkv"], size, 3 * size, bias: joined)
        proj = try MappedLinear(attention["proj"], size, size)
        fc1 = try MappedLinear(weights["mlp.fc1"], size, hidden)
        fc2 = try MappedLinear(weights["mlp.fc2"], hidden, size)
        self.heads = heads
    }

    var size: Int { norm1.size }
    var hidden: Int { fc1.outputs }

    /// Adds the block's work on `memory.stream`.
    func add(to pieces: Pieces, _ memory: BlockMemory) {
        let (rows, stream) = (memory.rows, memory.stream.pointer)
        let (normed, wide, gathered) = (memory.normed.pointer, memory.wide.pointer, memory.gathered.pointer)
        pieces.add(norm1, stream, rows: rows, into: normed)
        pieces.add(qkv, normed, rows: rows, into: wide)
        let part = { HeadRows(first: wide + $0 * size, stride: 3 * size, count: rows) }
        HeadAttention(heads: heads, headSize: size / heads).add(to: pieces, part(0), part(1), part(2), into: gathered)
        pieces.add(proj, gathered, rows: rows, into: stream, adding: true)
        pieces.add(norm2, stream, rows: rows, into: normed)
        pieces.add(fc1, normed, rows: rows, into: wide, then: .gelu)
        pieces.add(fc2, wide, rows: rows, into: stream, adding: true)
    }
}

/// What blocks work in: one for all of them.
final class BlockMemory {
    let rows: Int
    /// `[rows, size]`: what flows through the blocks.
    let stream: FloatBuffer
    /// `[rows, size]`: after a norm.
    let normed: FloatBuffer
    /// `[rows, 3 size]` queries, keys and values, then `[rows, hidden]`.
    let wide: FloatBuffer
    /// `[rows, size]`: what the heads have gathered.
    let gathered: FloatBuffer

    init(rows: Int, size: Int, hidden: Int) {
        self.rows = rows
        stream = FloatBuffer(zeros: rows * size)
        normed = FloatBuffer(zeros: rows * size)
        wide = FloatBuffer(zeros: rows * max(3 * size, hidden))
        gathered = FloatBuffer(zeros: rows * size)
    }
}

/// A buffer that operations share.
final class Holder {
    let buffer: FloatBuffer

    init(zeros count: Int) { buffer = FloatBuffer(zeros: count) }
}
