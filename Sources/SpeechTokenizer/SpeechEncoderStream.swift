import Layers
import Tensors

/// Speech that is turned into semantic codes while it is spoken.
///
/// At any time `codes` are what the offline tokenizer would say of the frames so far if the sound ended with them. Later
/// sound revises the last of them: about the convolutions' lookahead, and what the backward LSTM remembers. After
/// `finish` they are exactly the offline codes.
public struct SpeechEncoderStream {
    private let model: SpeechTokenizerModel
    private var progress: SEANetEncoderProgress
    /// Level-0 codes of all frames so far, 0 ..< codebook size.
    public private(set) var codes: [Int32] = []

    init(_ model: SpeechTokenizerModel) {
        self.model = model
        progress = SEANetEncoderProgress(model.encoder, dimension: model.configuration.dimension)
    }

    /// Adds samples at the model's rate, −1 … 1. Returns the first frame whose code is new or was revised.
    @discardableResult
    public mutating func append(_ wave: [Float]) -> Int {
        revise(from: progress.append(Tensor(wave, shape: [wave.count, 1])))
    }

    /// The sound has ended. Returns the first frame whose code is new or was revised.
    @discardableResult
    public mutating func finish() -> Int { revise(from: progress.finish()) }

    /// The codes at all levels, `[level][frame]`: for a voice prompt that was spoken just now.
    public func allCodes() -> [[Int32]] { model.quantizer.encode(progress.latent(0..<progress.count)) }

    private mutating func revise(from first: Int) -> Int {
        guard first < progress.count else { return codes.count }
        let fresh = model.quantizer.encode(progress.latent(first..<progress.count), levels: 1)[0]
        var changed = first
        while changed < codes.count, codes[changed] == fresh[changed - first] { changed += 1 }
        codes.replaceSubrange(first..<codes.count, with: fresh)
        return changed
    }
}
