import Layers
import Tensors

/// Codes that become sound while later codes do not exist yet. All samples together are, to the last bit, what the
/// offline decoder gives.
public struct SpeechDecoderStream {
    private let model: SpeechTokenizerModel
    private var stream: any LayerStream

    init(_ model: SpeechTokenizerModel) {
        self.model = model
        stream = model.decoder.makeStream()
    }

    /// Adds frames of codes `[level][frame]`, the first row being level `start`; returns the samples that are certain
    /// now, at the model's rate. The network looks a few frames ahead, so the first call owes some to the next.
    public mutating func append(_ codes: [[Int32]], from start: Int = 0) throws -> [Float] {
        try model.check(codes, from: start)
        guard codes.first?.isEmpty == false else { return [] }
        return stream.step(model.quantizer.decode(codes, from: start)).values
    }

    /// The codes have ended: the samples that are still owed.
    public mutating func finish() -> [Float] { stream.finish().values }
}
