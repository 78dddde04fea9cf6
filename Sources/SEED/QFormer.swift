import Checkpoints
import Layers
import Tensors

/// The causal Q-Former: query tokens that look at each other and, in every layer that has a cross-attention, at the
/// picture. BERT's layers with its norms behind; of its two feed-forward networks the one for queries.
struct QFormer: Sendable {
    let query_tokens: Tensor
    let norm: LayerNorm
    let layers: [QFormerLayer]

    static let epsilon: Float = 1e-12

    /// `weights`: the top of `seed_quantizer.pt`.
    init(_ weights: Weights, vision: Int, heads: Int) throws(CheckpointError) {
        let queries = try weights.size("query_tokens", axis: 1, of: 3)
        let size = try weights.size("query_tokens", axis: 2, of: 3)
        try weights.requireHeads(heads, share: size, of: "Q-Former")
        query_tokens = try weights.tensor("query_tokens", [1, queries, size])
        let bert = weights["Qformer.bert"]
        norm = try LayerNorm(bert["embeddings.LayerNorm"], size, epsilon: Self.epsilon)
        let list = bert["encoder.layer"]
        let indices = list.childIndices
        try list.requireConsecutive(indices)
        var layers: [QFormerLayer] = []
        for index in indices {
            layers.append(
                try QFormerLayer(list[index], size: size, vision: vision, heads: heads, isCausal: queries == 32))
        }
        self.layers = layers
    }

    var queries: Int { query_tokens.shape[1] }
    var size: Int { norm.size }

    /// Adds the way from a picture's tokens (`[rows, vision]`) to what the queries made of them: `[queries, size]`, in
    /// the memory that is returned.
    func add(
        to pieces: Pieces, _ image: UnsafeMutablePointer<Float>, rows: Int, _ trace: SEEDTrace?
    ) -> QFormerMemory {
        let memory = QFormerMemory(self, rows: rows)
        let stream = memory.stream.pointer
        pieces.add { [query_tokens, queries, size] _ in
            query_tokens.read { memory.stream.pointer.update(from: $0, count: queries * size) }
        }
        pieces.add(norm, stream, rows: queries, into: stream)
        pieces.trace(trace, "qformer_hidden_0", stream, [queries, size])
        for (index, layer) in layers.enumerated() {
            layer.add(to: pieces, image, rows: rows, memory)
            pieces.trace(trace, "qformer_hidden_\(index + 1)", stream, [queries, size])
        }
        return memory
    }
}

/// x = norm(x + dense(attention(x))), the same for the picture, x = norm(x + output(gelu(intermediate(x)))).
struct QFormerLayer: Sendable {
    let attention: QFormerAttention
    /// Nil in the layers that don't look at the picture.
    let crossattention: QFormerAttention?
    let intermediate_query: MappedLinear
    let output_query: MappedLinear
    let norm: LayerNorm

    init(_ weights: Weights, size: Int, vision: Int, heads: Int, isCausal: Bool) throws(CheckpointError) {
        attention = try QFormerAttention(
            weights["attention"], size: size, keys: size,
            HeadAttention(heads: heads, headSize: size / heads, isCausal: isCausal))
        crossattention =
            weights["crossattention.self.query"].contains("weight")
            ? try QFormerAttention(
                weights["crossattention"], size: size, keys: vision, HeadAttention(heads: heads, headSize: size / heads)
            )
            : nil
        let hidden = try weights.size("intermediate_query.dense.weight", axis: 0, of: 2)
        intermediate_query = try MappedLinear(weights["intermediate_query.dense"], size, hidden)
        output_query = try MappedLinear(weights["output_query.dense"], hidden, size)
        norm = try LayerNorm(weights["output_query.LayerNorm"], size, epsilon: QFormer.epsilon)
    }

    func add(to pieces: Pieces, _ image: UnsafePointer<Float>, rows: Int, _ memory: QFormerMemory) {
        let (stream, queries) = (memory.stream.pointer, memory.queries)
        attention.add(to: pieces, stream, rows: queries, memory)
        crossattention?.add(to: pieces, image, rows: rows, memory)
        pieces.add(intermediate_query, stream, rows: queries, into: memory.hidden.pointer, then: .gelu)
        pieces.add(output_query, memory.hidden.pointer, rows: queries, into: memory.made.pointer)
        pieces.add(norm, stream, plus: memory.made.pointer, rows: queries, into: stream)
    }
}

/// Attention of the queries to themselves or to a picture, with what BERT does behind it.
struct QFormerAttention: Sendable {
    let query: MappedLinear
    let key: MappedLinear
    let value: MappedLinear
    let dense: MappedLinear
    let norm: LayerNorm
    let heads: HeadAttention

    init(_ weights: Weights, size: Int, keys: Int, _ heads: HeadAttention) throws(CheckpointError) {
        query = try MappedLinear(weights["self.query"], size, size)
        key = try MappedLinear(weights["self.key"], keys, size)
        value = try MappedLinear(weights["self.value"], keys, size)
        dense = try MappedLinear(weights["output.dense"], size, size)
        norm = try LayerNorm(weights["output.LayerNorm"], size, epsilon: QFormer.epsilon)
        self.heads = heads
    }

    func add(to pieces: Pieces, _ seen: UnsafePointer<Float>, rows: Int, _ memory: QFormerMemory) {
        let (stream, queries, size) = (memory.stream.pointer, memory.queries, norm.size)
        let (q, k, v) = (memory.query.pointer, memory.keys.pointer, memory.values.pointer)
        pieces.add(query, stream, rows: queries, into: q)
        pieces.add(key, seen, rows: rows, into: k)
        pieces.add(value, seen, rows: rows, into: v)
        heads.add(
            to: pieces, HeadRows(first: q, stride: size, count: queries),
            HeadRows(first: k, stride: size, count: rows), HeadRows(first: v, stride: size, count: rows),
            into: memory.gathered.pointer)
        pieces.add(dense, memory.gathered.pointer, rows: queries, into: memory.made.pointer)
        pieces.add(norm, stream, plus: memory.made.pointer, rows: queries, into: stream)
    }
}

/// What the Q-Former works in.
final class QFormerMemory {
    let queries: Int
    /// `[queries, size]`: what flows through the layers.
    let stream: FloatBuffer
    /// `[queries, size]`: queries, what the heads gathered, and what a part of a layer made of it.
    let query: FloatBuffer
    let gathered: FloatBuffer
    let made: FloatBuffer
    /// `[rows, size]`, of the queries or of the picture's tokens.
    let keys: FloatBuffer
    let values: FloatBuffer
    /// `[queries, hidden]`
    let hidden: FloatBuffer

    init(_ former: QFormer, rows: Int) {
        queries = former.queries
        let size = former.size
        stream = FloatBuffer(zeros: queries * size)
        query = FloatBuffer(zeros: queries * size)
        gathered = FloatBuffer(zeros: queries * size)
        made = FloatBuffer(zeros: queries * size)
        keys = FloatBuffer(zeros: max(rows, queries) * size)
        values = FloatBuffer(zeros: max(rows, queries) * size)
        hidden = FloatBuffer(zeros: queries * (former.layers.map(\.intermediate_query.outputs).max() ?? 0))
    }
}
