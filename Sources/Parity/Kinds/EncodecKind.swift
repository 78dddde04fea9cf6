import AnyGPT
import Audio
import Checkpoints
import Encodec
import Foundation
import Layers
import Tensors

/// Cases of kind encodec: folders of one model in one or more namings; clips `[samples]` out of sound files, of each
/// CLIP/waveform, encoder_out `[hidden, frames]`, codes `[levels, frames]`, token_ids, quantised and decoded
/// `[1, samples]`, outputs of single layers; and decode/NAME/token_ids with the codes and the sound that they give.
struct EncodecKind {
    private let verification: Verification
    private let model: EncodecModel
    private let music: MusicTokens
    private let strings: JSON

    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        let folders = try modelFolders(golden)
        guard let first = folders.first else {
            throw CaseError("verify", golden.folder.path, "no folder of it holds a model (config.json)")
        }
        let model = try EncodecModel(folder: first)
        let strings = golden.has("strings.json") ? try JSON.read(golden.file("strings.json")) : .null
        let levels = max(model.encodedLevels, min(4, model.levels))
        let kind = EncodecKind(
            verification: verification, model: model,
            music: MusicTokens(levels: levels, size: model.configuration.codebookSize), strings: strings)
        for name in clips(golden) { try kind.verifyClip(name) }
        try kind.verifyDecoding()
        try kind.verifyOthers(folders)
    }

    /// The folders that hold a model, by name.
    private static func modelFolders(_ golden: GoldenCase) throws -> [URL] {
        let names = try FileManager.default.contentsOfDirectory(atPath: golden.folder.path).sorted()
        return names.map { golden.file($0) }.filter {
            FileManager.default.fileExists(atPath: $0.appending(path: "config.json").path)
        }
    }

    /// The names of the clips: what has a waveform.
    private static func clips(_ golden: GoldenCase) -> [String] {
        golden.expected.names.filter { $0.hasSuffix("/waveform") }.map { String($0.dropLast("/waveform".count)) }
            .sorted(by: isBefore)
    }

    // MARK: Clips

    private func verifyClip(_ name: String) throws {
        verification.stage("\(name): reading")
        if let file = verification.golden.about["clips"]?[name]?["file"]?.text {
            let read = try MusicFile.read(
                verification.golden.file(file).path, sampleRate: model.configuration.sampleRate, seconds: 600)
            try verification.compare("\(name)/waveform", TypedArray(read, shape: [read.count]))
        }
        let samples = try verification.golden.expected.tensor("\(name)/waveform").values
        verification.stage("\(name): encoder")
        let sound = Tensor(samples, shape: [samples.count, 1])
        let latent = model.latent(sound)
        try verification.compare("\(name)/encoder_out", latent.transposed)
        let codes = model.encode(samples)
        try verification.compare("\(name)/codes", TypedArray(codes: codes))
        let numbers = music.numbers(codes)
        try verification.compare("\(name)/token_ids", TypedArray(ids: numbers))
        try checkText(name, music.numbers(try expectedCodes("\(name)/codes") ?? codes), marks: true)
        checkStreamed(name, samples, codes)

        verification.stage("\(name): decoder")
        // The decoder is given the expected codes, so that it answers for itself alone.
        let given = try expectedCodes("\(name)/codes") ?? codes
        let quantised = model.quantizer.decode(given)
        try verification.compare("\(name)/quantised", quantised.transposed)
        try compareSound("\(name)/decoded", given)
        try compareLayers(name, "encoder_layer_", model.encoder.modules ?? [], sound)
        try compareLayers(name, "decoder_layer_", model.decoder.modules, quantised)
    }

    /// The outputs of single layers, `[channels, frames]`.
    private func compareLayers(
        _ clip: String, _ prefix: String, _ modules: [any SequenceLayer], _ input: Tensor
    ) throws {
        let wanted = verification.expectedNames(after: "\(clip)/\(prefix)").compactMap(Int.init)
        guard let last = wanted.max() else { return }
        var x = input
        for (index, module) in modules.enumerated() where index <= last {
            x = module(x)
            if wanted.contains(index) { try verification.compare("\(clip)/\(prefix)\(index)", x.transposed) }
        }
    }

    /// The same codes must come when the sound comes in pieces.
    private func checkStreamed(_ name: String, _ samples: [Float], _ codes: [[Int32]]) {
        var stream = model.makeEncoder()
        var streamed = Array(repeating: [Int32](), count: codes.count)
        for start in stride(from: 0, to: samples.count, by: 4801) {
            append(stream.append(Array(samples[start..<min(samples.count, start + 4801)])), to: &streamed)
        }
        append(stream.finish(), to: &streamed)
        verification.check(
            "\(name)/codes (streamed as offline)", .exact, expected: TypedArray(codes: codes),
            actual: TypedArray(codes: streamed))
    }

    private func append(_ piece: [[Int32]], to codes: inout [[Int32]]) {
        for level in piece.indices { codes[level] += piece[level] }
    }

    // MARK: Tokens → sound

    private func verifyDecoding() throws {
        let names = Set(verification.expectedNames(after: "decode").filter { $0.hasSuffix("/codes") })
        for suffix in names.sorted(by: isBefore) {
            let name = "decode" + suffix.dropLast("/codes".count)
            verification.stage(name)
            if let text = strings[name]?.text {
                let numbers = music.numbers(in: text)
                try verification.compare("\(name)/codes", TypedArray(codes: music.codes(numbers)))
            }
            if verification.expects("\(name)/token_ids") {
                let ids = try verification.golden.expected.ids("\(name)/token_ids")
                verification.pass(over: "\(name)/token_ids", "the question")
                try checkText(name, ids, marks: false)
                if strings[name]?.text == nil {
                    try verification.compare("\(name)/codes", TypedArray(codes: music.codes(ids)))
                }
            } else if strings[name]?.text == nil {
                verification.pass(over: "\(name)/codes", "the question")
            }
            if let codes = try expectedCodes("\(name)/codes") { try compareSound("\(name)/decoded", codes) }
        }
    }

    private func compareSound(_ name: String, _ codes: [[Int32]]) throws {
        guard verification.expects(name) else { return }
        do {
            let sound = try model.decode(codes)
            try verification.compare(name, sound.transposed)
            var stream = model.makeDecoder()
            var streamed: [Float] = []
            for first in stride(from: 0, to: codes[0].count, by: 7) {
                streamed += try stream.append(codes.map { Array($0[first..<min($0.count, first + 7)]) })
            }
            streamed += stream.finish()
            verification.check(
                "\(name) (streamed as offline)", .exact, expected: TypedArray(sound.values, shape: [sound.count]),
                actual: TypedArray(streamed, shape: [streamed.count]))
        } catch let error as EncodecError {
            verification.fail(name, "\(error)")
        }
    }

    /// The tokens' text, where the case has it.
    private func checkText(_ name: String, _ numbers: [Int32], marks: Bool) throws {
        guard let expected = strings[name]?.text else { return }
        let tokens = numbers.map { "<\u{1F3B6}\($0)>" }.joined()
        let text = marks ? "<somu>\(tokens)<eomu>" : tokens
        verification.add(
            Row(
                "\(name) (strings.json)", rule: "exact", outcome: text == expected ? .passed : .failed,
                note: text == expected ? nil : "the text differs"))
    }

    private func expectedCodes(_ name: String) throws -> [[Int32]]? {
        guard verification.expects(name) else { return nil }
        let (values, rows, columns) = try verification.golden.expected.matrix(name)
        return (0..<rows).map { row in (0..<columns).map { Int32(clamping: values[row * columns + $0]) } }
    }

    // MARK: Other files of the same weights

    /// Every folder and every weight file in it holds the same network: each must give the first one's bits.
    private func verifyOthers(_ folders: [URL]) throws {
        let codes = (0..<model.levels).map { level in (0..<4).map { Int32(($0 + level) % music.size) } }
        let sound = try model.decode(codes)
        for folder in folders {
            for file in ["model.safetensors", "pytorch_model.bin"] {
                let checkpoint = folder.appending(path: file)
                guard FileManager.default.fileExists(atPath: checkpoint.path) else { continue }
                let name = "\(folder.lastPathComponent)/\(file)"
                verification.stage(name)
                let other = try EncodecModel(
                    configuration: folder.appending(path: "config.json"), checkpoint: checkpoint)
                guard other.configuration == model.configuration else { continue }
                verification.check(
                    "\(name) (the same network)", .exact, expected: TypedArray(sound.values, shape: sound.shape),
                    actual: TypedArray(try other.decode(codes).values, shape: sound.shape))
            }
        }
    }
}
