import Audio
import Checkpoints
import Foundation
import SpeechTokenizer
import Tensors

/// Cases of kind speechtokenizer: an input CLIP.wave, and of it CLIP.encoder_out `[dimension, frames]`, CLIP.codes
/// `[levels, frames]`, CLIP.wave_from_… out of these codes, and CLIP.prefixKK.codes of its first KK half seconds.
enum SpeechTokenizerKind {
    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let checkpoint = golden.modelFile("ckpt.dev") { !$0.hasSuffix(".json") }
        let model = try SpeechTokenizerModel(
            configuration: golden.modelFile("config.json") { $0.hasSuffix(".json") }, checkpoint: checkpoint)
        let inputs = try golden.inputs()
        for input in inputs.names.sorted(by: isBefore) where input.hasSuffix(".wave") {
            let clip = Clip(
                name: String(input.dropLast(".wave".count)), samples: try inputs.tensor(input).values, model: model,
                checkpoint: checkpoint, verification: verification)
            try clip.verify()
        }
    }
}

/// One input and what is expected of it.
private struct Clip {
    let name: String
    let samples: [Float]
    let model: SpeechTokenizerModel
    let checkpoint: URL
    let verification: Verification

    /// Samples and frames that are streamed at once: neither divides anything else.
    private static let streamed = (samples: 1601, frames: 7)

    func verify() throws {
        verification.stage("\(name): encoder")
        try verification.checkAudioFile("\(name).wav", samples, rate: model.configuration.sampleRate)
        let latent = model.latent(samples)
        try verification.compare("\(name).encoder_out", latent.transposed)
        let codes = try compareCodes("\(name).codes", samples)
        verification.stage("\(name): streamed encoder")
        var stream = model.makeEncoder()
        for start in stride(from: 0, to: samples.count, by: Self.streamed.samples) {
            stream.append(Array(samples[start..<min(samples.count, start + Self.streamed.samples)]))
        }
        stream.finish()
        verification.check(
            "\(name).codes (streamed as offline)", .exact, expected: TypedArray(codes: codes),
            actual: TypedArray(codes: [stream.codes] + stream.allCodes().dropFirst()))
        for tail in verification.expectedNames(after: "\(name).prefix") where tail.hasSuffix(".codes") {
            guard let count = Int(tail.dropLast(".codes".count)) else { continue }
            verification.stage("\(name): prefix \(count)")
            let length = min(samples.count, count * model.configuration.sampleRate / 2)
            _ = try compareCodes("\(name).prefix\(tail)", Array(samples.prefix(length)))
        }
        try verifyDecoder(codes)
    }

    /// Compares the codes of some samples. Where the case records no margin, a difference is measured: how far the
    /// residual is from where both codes are equally near.
    private func compareCodes(_ name: String, _ samples: [Float]) throws -> [[Int32]] {
        let codes = model.encode(samples)
        guard verification.expects(name) else { return codes }
        let expected = try verification.golden.expected.array(name).integers ?? []
        let frames = codes[0].count
        var margins: CodeMargins?
        try verification.compare(
            name, TypedArray(codes: codes),
            measuredMargin: { index in
                guard index < expected.count else { return nil }
                margins = margins ?? (try? CodeMargins(model, checkpoint, samples: samples))
                return margins?.margin(
                    level: index / frames, frame: index % frames, codes: codes, other: expected[index])
            })
        return codes
    }

    /// The decoder is given the expected codes, so that it answers for itself alone.
    private func verifyDecoder(_ ours: [[Int32]]) throws {
        var codes = ours
        if let shape = verification.golden.expected.info("\(name).codes")?.shape, shape.count == 2, shape[1] > 0,
            let values = try verification.golden.expected.array("\(name).codes").integers
        {
            let (rows, columns) = (shape[0], shape[1])
            codes = (0..<rows).map { row in
                (0..<columns).map { Int32(clamping: values[row * columns + $0]) }
            }
        }
        for tail in verification.expectedNames(after: "\(name).wave_from_") {
            let wave = "\(name).wave_from_\(tail)"
            verification.stage("\(name): wave from \(tail)")
            guard let levels = levels(tail), levels.upperBound <= codes.count else { continue }
            let chosen = Array(codes[levels])
            do {
                let offline = try model.decode(chosen, from: levels.lowerBound)
                try verification.compare(wave, TypedArray(offline, shape: [offline.count]))
                let streamed = try stream(chosen, from: levels.lowerBound)
                verification.check(
                    "\(wave) (streamed as offline)", .exact, expected: TypedArray(offline, shape: [offline.count]),
                    actual: TypedArray(streamed, shape: [streamed.count]))
            } catch let error as SpeechTokenizerError {
                verification.fail(wave, "\(error)")
            }
        }
    }

    private func stream(_ codes: [[Int32]], from start: Int) throws -> [Float] {
        var stream = model.makeDecoder()
        var wave: [Float] = []
        let frames = codes[0].count
        for first in stride(from: 0, to: frames, by: Self.streamed.frames) {
            let piece = codes.map { Array($0[first..<min(frames, first + Self.streamed.frames)]) }
            wave += try stream.append(piece, from: start)
        }
        return wave + stream.finish()
    }

    /// "all_codes", "first_code", "codes_1_to_7".
    private func levels(_ words: String) -> Range<Int>? {
        switch words {
        case "all_codes": return 0..<model.configuration.levels
        case "first_code": return 0..<1
        default:
            guard let match = words.wholeMatch(of: /codes_(\d{1,4})_to_(\d{1,4})/), let first = Int(match.1),
                let last = Int(match.2), first <= last
            else { return nil }
            return first..<(last + 1)
        }
    }
}
