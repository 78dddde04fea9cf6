import Layers
import Tensors

extension EncodecModel {
    /// A fresh streaming encoder.
    public func makeEncoder() -> EncodecEncoderStream { EncodecEncoderStream(self) }

    /// A fresh streaming decoder.
    public func makeDecoder() -> EncodecDecoderStream { EncodecDecoderStream(self) }
}

/// Sound that becomes codes while it comes. All codes together are those of the offline encoder.
public struct EncodecEncoderStream {
    private let model: EncodecModel
    private var stream: any LayerStream

    init(_ model: EncodecModel) {
        guard let stream = model.encoder.makeStream() else {
            preconditionFailure("Encodec's LSTM has one direction")
        }
        self.model = model
        self.stream = stream
    }

    /// Takes interleaved samples; returns the codes `[level][frame]` that no later sound can change.
    public mutating func append(_ samples: [Float]) -> [[Int32]] {
        let channels = model.configuration.audioChannels
        return codes(stream.step(Tensor(samples, shape: [samples.count / channels, channels])))
    }

    /// The sound has ended: the codes that are still owed.
    public mutating func finish() -> [[Int32]] { codes(stream.finish()) }

    private func codes(_ latent: Tensor) -> [[Int32]] {
        let levels = model.encodedLevels
        guard latent.rows > 0 else { return Array(repeating: [], count: levels) }
        return model.quantizer.encode(latent, levels: levels)
    }
}

/// Codes that become sound while later codes do not exist yet. All samples together are, to the last bit, what the
/// offline decoder gives.
public struct EncodecDecoderStream {
    private let model: EncodecModel
    private var stream: any LayerStream

    init(_ model: EncodecModel) {
        self.model = model
        stream = model.decoder.makeStream()
    }

    /// Adds frames of codes `[level][frame]`; returns the interleaved samples that are certain now. The network looks a
    /// few frames ahead, so the first call owes some to the next.
    public mutating func append(_ codes: [[Int32]]) throws(EncodecError) -> [Float] {
        try model.check(codes)
        guard codes.first?.isEmpty == false else { return [] }
        return stream.step(model.quantizer.decode(codes)).values
    }

    /// The codes have ended: the samples that are still owed.
    public mutating func finish() -> [Float] { stream.finish().values }
}
