import Checkpoints
import Foundation
import Layers
import SpeechTokenizer
import Tensors
import TestSupport
import Testing

/// Streamed equals offline, to the last bit, however the sound is cut.
@Suite("SpeechTokenizer streams") struct StreamingTests {
    static let cases = ["speechtokenizer-snake", "speechtokenizer-elu"]

    private func load(_ name: String) throws -> (model: SpeechTokenizerModel, inputs: Checkpoint) {
        (
            try SpeechTokenizerModel(folder: Golden.folder(name)),
            try Checkpoint.open(Golden.file(name, "inputs.safetensors"))
        )
    }

    @Test("streamed codes equal offline codes at the end, whatever the pieces", arguments: cases)
    func encoder(_ name: String) throws {
        let (model, inputs) = try load(name)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        for wave in ["clip0", "clip2", "short1", "short5", "short319", "short320", "short321", "short2000"] {
            let samples = try inputs.tensor("\(wave).wave").values
            let offline = model.encode(samples)
            for longest in [1, 37, 320, 5000, samples.count] where samples.count / max(longest, 1) < 4000 {
                var stream = model.makeEncoder()
                for cut in random.cuts(samples.count, longest: longest) { stream.append(Array(samples[cut])) }
                stream.finish()
                #expect(stream.codes == offline[0], "\(wave), pieces up to \(longest), seed \(seed)")
                #expect(stream.allCodes() == offline, "\(wave), pieces up to \(longest), seed \(seed)")
            }
        }
    }

    @Test("codes in the middle equal the offline codes of the frames so far, and revisions are reported")
    func revisions() throws {
        let (model, inputs) = try load("speechtokenizer-snake")
        let samples = Array(try inputs.tensor("clip0.wave").values[0..<32000])
        var stream = model.makeEncoder()
        var known: [Int32] = []
        for start in stride(from: 0, to: samples.count, by: 1600) {
            let first = stream.append(Array(samples[start..<start + 1600]))
            #expect(Array(stream.codes.prefix(first)) == Array(known.prefix(first)), "a silent revision")
            known = stream.codes
        }
        let first = stream.finish()
        #expect(Array(stream.codes.prefix(first)) == Array(known.prefix(first)), "a silent revision")
        #expect(stream.codes.count == 100)
    }

    @Test("streamed sound equals offline sound, whatever the pieces", arguments: cases)
    func decoder(_ name: String) throws {
        let (model, _) = try load(name)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        for frames in [1, 2, 3, 7, 60] {
            let codes = (0..<8).map { _ in (0..<frames).map { _ in Int32.random(in: 0..<1024, using: &random) } }
            let offline = try model.decode(codes)
            #expect(offline.count == frames * model.hop)
            for longest in [1, 4, frames] {
                var stream = model.makeDecoder()
                var wave: [Float] = []
                for cut in random.cuts(frames, longest: longest) {
                    wave += try stream.append(codes.map { Array($0[cut]) })
                }
                wave += stream.finish()
                #expect(
                    wave.map(\.bitPattern) == offline.map(\.bitPattern), "\(frames) frames by \(longest), seed \(seed)")
            }
        }
    }

    @Test("a fresh stream knows nothing of the one before") func fresh() throws {
        let (model, inputs) = try load("speechtokenizer-elu")
        let samples = try inputs.tensor("clip2.wave").values
        var first = model.makeEncoder()
        first.append(samples)
        var second = model.makeEncoder()
        second.append(Array(samples.prefix(5000)))
        second.finish()
        #expect(second.codes == model.encode(Array(samples.prefix(5000)))[0])
    }

    @Test("an empty sound has no codes, and no codes have no sound") func empty() throws {
        let (model, _) = try load("speechtokenizer-elu")
        var stream = model.makeEncoder()
        #expect(stream.finish() == 0)
        #expect(stream.codes.isEmpty)
        #expect(model.encode([])[0].isEmpty)
        var decoder = model.makeDecoder()
        #expect(decoder.finish().isEmpty)
        #expect(try model.decode([]).isEmpty)
    }

    @Test("codes that the codebook does not have are refused by name") func badCodes() throws {
        let (model, _) = try load("speechtokenizer-elu")
        for codes: [[Int32]] in [[[1024]], [[-1]], [[0, 1], [0]], Array(repeating: [0], count: 9)] {
            #expect(throws: SpeechTokenizerError.self) { try model.decode(codes) }
        }
    }

    @Test("other shapes stream exactly too: dilations, one direction, three LSTM layers, odd strides")
    func otherShapes() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        for (configuration, bidirectional) in [
            (
                SEANetConfiguration(
                    filters: 3, dimension: 10, strides: [3, 2], lstmLayers: 1, residualLayers: 3, residualTaps: 3,
                    dilationBase: 2, activation: .snake), true
            ),
            (
                SEANetConfiguration(
                    filters: 2, dimension: 7, strides: [5, 4], lstmLayers: 3, residualLayers: 2, residualTaps: 5,
                    dilationBase: 3, activation: .elu), false
            ),
            (
                SEANetConfiguration(
                    filters: 2, dimension: 5, strides: [7], lstmLayers: 0, residualLayers: 1, residualTaps: 7,
                    dilationBase: 2, activation: .elu), false
            ),
        ] {
            let weights = try SyntheticSEANet.weights(configuration, bidirectional: bidirectional, &random)
            let encoder = try SEANetEncoder(weights["encoder"], configuration, bidirectional: bidirectional)
            let decoder = try SEANetDecoder(weights["decoder"], configuration)
            try weights.requireAllUsed()
            for count in [1, 2, 5, 6, 7, 13, 14, 29, 200] {
                let wave = Tensor(random.normal(count), shape: [count, 1])
                let offline = encoder(wave)
                #expect(
                    offline.shape == [(count + configuration.hop - 1) / configuration.hop, configuration.dimension])
                for longest in [1, 3, count] {
                    var progress = SEANetEncoderProgress(encoder, dimension: configuration.dimension)
                    for cut in random.cuts(count, longest: longest) { _ = progress.append(wave[rows: cut]) }
                    _ = progress.finish()
                    #expect(
                        progress.latent(0..<progress.count).values.map(\.bitPattern)
                            == offline.values.map(\.bitPattern), "\(count) samples by \(longest), seed \(seed)")
                }
                let sound = decoder(offline)
                #expect(sound.shape == [offline.rows * configuration.hop, 1])
                var stream = decoder.makeStream()
                var pieces: [Tensor] = []
                for cut in random.cuts(offline.rows, longest: 3) { pieces.append(stream.step(offline[rows: cut])) }
                pieces.append(stream.finish())
                #expect(
                    Tensor.concatenated(pieces).values.map(\.bitPattern) == sound.values.map(\.bitPattern),
                    "\(count) samples, seed \(seed)")
            }
        }
    }
}
