import Layers
import Tensors

/// The way from a picture's ids to its embedding, in pieces of some milliseconds: between two of them the caller may let
/// more urgent work in, or give up.
///
///     let run = try SEEDDetokenizing(ids, quantizer)
///     while run.step() { await Task.yield() }
///     let embedding = run.embedding
public final class SEEDDetokenizing {
    private let pieces = Pieces()
    private let result: Holder
    private var isComplete = false

    /// Makes ready. Throws when there are not as many ids as a picture has, each out of the codebook.
    public init(_ ids: [Int32], _ quantizer: SEEDQuantizer, trace: SEEDTrace? = nil) throws(SEEDError) {
        let rows = quantizer.queries
        guard ids.count == rows else { throw .wrongCount(ids.count, expected: rows) }
        if let id = ids.first(where: { !(0..<quantizer.codes).contains(Int($0)) }) {
            throw .unknownCode(id: id, codes: quantizer.codes)
        }
        result = Holder(zeros: quantizer.embeddingSize)
        build(ids, quantizer, rows, trace)
    }

    private func build(_ ids: [Int32], _ quantizer: SEEDQuantizer, _ rows: Int, _ trace: SEEDTrace?) {
        let (dimension, size) = (quantizer.quantize.dimension, quantizer.qformer.size)
        let memory = BlockMemory(rows: rows, size: size, hidden: quantizer.blocks_image.map(\.hidden).max() ?? 0)
        let (codes, inner) = (Holder(zeros: rows * dimension), Holder(zeros: rows * dimension))
        for owner in [memory, codes, inner] as [AnyObject] { pieces.keep(owner) }
        let stream = memory.stream.pointer
        pieces.add { _ in quantizer.quantize.copy(ids, to: codes.buffer.pointer) }
        pieces.trace(trace, "codes", codes.buffer.pointer, [rows, dimension])
        pieces.add(
            quantizer.decode_task_layer[0], codes.buffer.pointer, rows: rows, into: inner.buffer.pointer, then: .tanh)
        pieces.add(quantizer.decode_task_layer[1], inner.buffer.pointer, rows: rows, into: stream)
        pieces.trace(trace, "decode_task_out", stream, [rows, size])
        pieces.add { _ in quantizer.pos_embed_image.read { kernels.add_f32(stream, $0, rows * size) } }
        for (index, block) in quantizer.blocks_image.enumerated() {
            block.add(to: pieces, memory)
            pieces.trace(trace, "block_\(index)", stream, [rows, size])
        }
        // Each layer's outputs lie dense: flattened, they are token after token.
        var source = stream
        for (index, layer) in quantizer.image_down.enumerated() {
            let made = Holder(zeros: rows * layer.outputs)
            let isLast = index == quantizer.image_down.count - 1
            pieces.add(layer, source, rows: rows, into: made.buffer.pointer, then: isLast ? .none : .relu)
            pieces.keep(made)
            source = made.buffer.pointer
            if isLast { pieces.trace(trace, "image_down", source, [rows, layer.outputs]) }
        }
        pieces.add(quantizer.distill_image_proj, source, rows: 1, into: result.buffer.pointer)
    }

    /// Does a piece. False when the embedding is complete.
    public func step() -> Bool {
        isComplete = !pieces.step()
        return !isComplete
    }

    /// The embedding, once `step` has returned false.
    public var embedding: [Float] {
        precondition(isComplete, "the embedding is not complete")
        return Array(UnsafeBufferPointer(start: result.buffer.pointer, count: result.buffer.count))
    }
}
