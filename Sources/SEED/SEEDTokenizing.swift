public import Images
import Layers
import Tensors

/// The way from a picture to its ids, in pieces of some 10 ms: between two of them the caller may let more urgent work in,
/// or give up.
///
///     let run = SEEDTokenizing(image, model)
///     while run.step() { await Task.yield() }
///     let ids = run.ids
public final class SEEDTokenizing {
    private let resampler: BicubicResampler
    private let pieces = Pieces()
    private var isResampled = false
    private var isComplete = false
    private var result: [Int32] = []

    /// Makes ready for a picture of any size: it is resampled to a square, whatever its shape was, as the reference does.
    public init(_ image: RGBImage, _ model: SEEDModel, trace: SEEDTrace? = nil) {
        let (vision, quantizer) = (model.vision, model.quantizer)
        resampler = BicubicResampler(image, width: vision.side, height: vision.side)
        let memory = vision.makeMemory()
        let stream = memory.stream.pointer
        pieces.keep(memory)
        vision.add(to: pieces, { [unowned self] in resampler.image }, memory, trace)
        pieces.add(quantizer.ln_vision, stream, rows: vision.tokens, into: stream)
        pieces.trace(trace, "ln_vision_out", stream, [vision.tokens, vision.size])

        let former = quantizer.qformer.add(to: pieces, stream, rows: vision.tokens, trace)
        let (rows, dimension) = (quantizer.queries, quantizer.quantize.dimension)
        let queries = former.stream.pointer
        pieces.keep(former)
        pieces.trace(trace, "qformer_out", queries, [rows, quantizer.qformer.size])
        let z = Holder(zeros: rows * dimension)
        pieces.keep(z)
        pieces.add(quantizer.encode_task_layer[0], queries, rows: rows, into: former.made.pointer, then: .tanh)
        pieces.add(quantizer.encode_task_layer[1], former.made.pointer, rows: rows, into: z.buffer.pointer)
        pieces.trace(trace, "z", z.buffer.pointer, [rows, dimension])
        pieces.add { [unowned self] _ in result = quantizer.quantize.nearest(z.buffer.pointer, rows: rows) }
    }

    /// Does a piece. False when the ids are complete.
    public func step() -> Bool {
        if !isResampled {
            isResampled = !resampler.step()
            return true
        }
        isComplete = !pieces.step()
        return !isComplete
    }

    /// The ids, once `step` has returned false.
    public var ids: [Int32] {
        precondition(isComplete, "the ids are not complete")
        return result
    }
}
