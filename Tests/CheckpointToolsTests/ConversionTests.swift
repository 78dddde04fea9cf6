import Checkpoints
import Foundation
import Llama
import Tensors
import TestModels
import TestSupport
import Testing

@testable import CheckpointTools

@Suite("Converting a backbone") struct ConversionTests {
    /// Sizes that leave a last panel half empty (a vocabulary of 301) and an input that no groups fit (172).
    static func configuration(inner: Int = 172, tied: Bool = false) -> LlamaConfiguration {
        LlamaConfiguration(
            vocab_size: 301, hidden_size: 64, intermediate_size: inner, num_hidden_layers: 2, num_attention_heads: 4,
            num_key_value_heads: 2, max_position_embeddings: 256, tie_word_embeddings: tied)
    }

    /// A folder that is removed at the end.
    struct Target: ~Copyable {
        let url = FileManager.default.temporaryDirectory.appending(path: "converted-\(UUID().uuidString)")
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    static let ids = (0..<200).map { Int32($0 * 31 % 301) }

    private func distance(_ source: URL, _ target: URL) throws -> Distance {
        try Distance.between(LlamaModel(folder: source), LlamaModel(folder: target), on: Self.ids)
    }

    @Test("the closer the precision, the closer the predictions", arguments: [172, 160], [false, true])
    func precisions(inner: Int, tied: Bool) throws {
        let synthetic = try SyntheticModel(Self.configuration(inner: inner, tied: tied), seed: 5)
        defer { synthetic.remove() }
        var distances: [Double] = []
        for precision in [Precision.bf16, .int8, .int4] {
            let target = Target()
            _ = try Conversion(from: synthetic.folder, to: target.url, precision: precision).run { _ in }
            distances.append(try distance(synthetic.folder, target.url).meanKL)
        }
        #expect(distances[0] < 1e-3 && distances[1] < 0.02 && distances[2] < 0.6, "\(distances)")
        #expect(distances[0] < distances[1] && distances[1] < distances[2], "\(distances)")
    }

    /// The bfloat16 next to a number, found by trying both neighbours.
    private static func bfloat16(_ value: Float) -> UInt16 {
        let below = UInt16(value.bitPattern >> 16)
        let distances = [below, below + 1].map { abs(Double(Float(bitPattern: UInt32($0) << 16)) - Double(value)) }
        if distances[0] == distances[1] { return below % 2 == 0 ? below : below + 1 }
        return distances[0] < distances[1] ? below : below + 1
    }

    @Test(
        "a folder at bf16 is its source at bf16, whatever that was: the same weights and the same greedy tokens",
        arguments: [DType.float32, .float16, .bfloat16], [false, true])
    func sourceAtBF16(dtype: DType, tied: Bool) throws {
        let configuration = Self.configuration(tied: tied)
        let source = try SyntheticModel(configuration, seed: 6, dtype: dtype)
        // Every weight of the source, rounded by the test: what the source is when it is loaded at bf16.
        let expected = try SyntheticModel(configuration, seed: 6)
        defer {
            source.remove()
            expected.remove()
        }
        let rounded = try LlamaModel.tensors(configuration).map { name, shape in
            let words = try #require(source.weights[name]).map(Self.bfloat16)
            return (name, TypedArray(dtype: .bfloat16, shape: shape, bytes: words.withUnsafeBytes { [UInt8]($0) }))
        }
        try expected.write(with: rounded)
        let target = Target()
        _ = try Conversion(from: source.folder, to: target.url, precision: .bf16).run { _ in }
        let converted = try Checkpoint.open(target.url)
        #expect(Set(converted.names) == Set(rounded.map(\.0)))
        for (name, array) in rounded { #expect(try converted.array(name) == array, "\(name)") }
        func greedy(_ folder: URL) throws -> [Int32] {
            let model = try LlamaModel(folder: folder)
            var cache = LlamaCache(model.configuration)
            return try model.greedy(
                Array(Self.ids.prefix(20)), cache: &cache, scratch: LlamaScratch(model.configuration), maxNewTokens: 60)
        }
        let tokens = try greedy(target.url)
        #expect(tokens == (try greedy(expected.folder)) && Set(tokens).count > 5)
        if dtype == .bfloat16 { #expect(tokens == (try greedy(source.folder)), "not even rounded") }
    }

    @Test("the official layout at bf16 is its every weight rounded", arguments: [".safetensors", ".bin"])
    func officialAtBF16(ending: String) throws {
        // The same model lies there in both kinds of shards: a folder with one of them alone.
        let folder = Target()
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        let other = ending == ".bin" ? "safetensors" : "bin"
        for file in try FileManager.default.contentsOfDirectory(atPath: Golden.folder("llama-hf").path)
        where !file.hasSuffix(other) && !file.contains("\(other).index") {
            try FileManager.default.createSymbolicLink(
                at: folder.url.appending(path: file), withDestinationURL: Golden.file("llama-hf", file))
        }
        let target = Target()
        _ = try Conversion(from: folder.url, to: target.url, precision: .bf16).run { _ in }
        let (before, after) = (try Checkpoint.open(folder.url), try Checkpoint.open(target.url))
        #expect(after.names.count > 20)
        for name in after.names {
            let words = try before.tensor(name).values.map(Self.bfloat16)
            #expect(try after.array(name).bytes == words.withUnsafeBytes { [UInt8]($0) }, "\(name)")
        }
    }

    @Test("fp32 is rounded to the nearest bfloat16, to the even one of two as near")
    func rounding() {
        #expect(Float(1).nearestBFloat16 == 0x3F80)
        #expect(Float(bitPattern: 0x3F80_8000).nearestBFloat16 == 0x3F80)
        #expect(Float(bitPattern: 0x3F81_8000).nearestBFloat16 == 0x3F82)
        #expect(Float(bitPattern: 0x3F80_8001).nearestBFloat16 == 0x3F81)
        #expect(Float.greatestFiniteMagnitude.nearestBFloat16 == 0x7F80)
        #expect(Float.nan.nearestBFloat16 & 0x7FC0 == 0x7FC0)
        #expect((-Float.infinity).nearestBFloat16 == 0xFF80)
    }

    @Test("shards, .bin files and what stands beside them: the official layout, converted and loaded")
    func officialLayout() throws {
        let source = Golden.folder("llama-hf")
        for precision in Precision.allCases {
            let target = Target()
            let summary = try Conversion(from: source, to: target.url, precision: precision, shardBytes: 1_000_000)
                .run { _ in }
            #expect(summary.files > 1 && summary.kept == 0)
            let files = try FileManager.default.contentsOfDirectory(atPath: target.url.path)
            #expect(!files.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".bin") })
            for file in ["tokenizer.model", "added_tokens.json", "generation_config.json"] {
                #expect(files.contains(file))
            }
            let model = try LlamaModel(folder: target.url)
            let ids = try ComparisonText.ids(for: model, folder: target.url, count: 70)
            let distance = try Distance.between(LlamaModel(folder: source), model, on: ids)
            #expect(distance.tokens == 70 && distance.meanKL < 0.6, "\(precision): \(distance)")
        }
    }

    @Test("an interrupted run leaves no model behind, and the next one keeps what is finished")
    func resuming() throws {
        let synthetic = try SyntheticModel(Self.configuration(), seed: 7)
        defer { synthetic.remove() }
        struct Stop: Error {}
        let target = Target()
        let whole = Target()
        let shard = 20_000
        let total = try Conversion(from: synthetic.folder, to: whole.url, precision: .int8, shardBytes: shard)
            .run { _ in }.files
        var finished = 0
        for limit in stride(from: 0.1, through: 0.9, by: 0.2) {
            let run = try Conversion(from: synthetic.folder, to: target.url, precision: .int8, shardBytes: shard)
            #expect(throws: Stop.self) {
                _ = try run.run { if Double($0.done) > limit * Double($0.total) { throw Stop() } }
            }
            let error = #expect(throws: CheckpointError.self) { try LlamaModel(folder: target.url) }
            #expect(error?.reason.contains("no weights") == true)
            let count = try FileManager.default.contentsOfDirectory(atPath: target.url.path)
                .count { $0.hasSuffix(".safetensors") }
            #expect(count >= finished)
            finished = count
        }
        #expect(finished > 1)
        // A finished file that was damaged since is written again.
        let damaged = target.url.appending(path: "model-00001-of-\(String(format: "%05d", total)).safetensors")
        var bytes = try Data(contentsOf: damaged)
        bytes[bytes.count - 5] ^= 1
        try bytes.write(to: damaged)
        let summary = try Conversion(from: synthetic.folder, to: target.url, precision: .int8, shardBytes: shard)
            .run { _ in }
        #expect(summary.kept == finished - 1 && summary.files == total)
        for file in try FileManager.default.contentsOfDirectory(atPath: whole.url.path) {
            let (a, b) = (whole.url.appending(path: file), target.url.appending(path: file))
            #expect(try Data(contentsOf: a) == Data(contentsOf: b), "\(file)")
        }
    }

    @Test("what can't be converted is refused by one line that says why")
    func refusals() throws {
        let synthetic = try SyntheticModel(Self.configuration(), seed: 8)
        defer { synthetic.remove() }
        func reason(_ source: URL, _ target: URL, _ precision: Precision = .int8) -> String {
            do {
                _ = try Conversion(from: source, to: target, precision: precision).run { _ in }
                return ""
            } catch { return "\(error)" }
        }
        #expect(reason(synthetic.folder, synthetic.folder).contains("is the source itself"))
        let target = Target()
        #expect(reason(URL(filePath: "/nowhere"), target.url).contains("/nowhere/config.json"))
        #expect(reason(synthetic.folder, target.url) == "")
        #expect(reason(synthetic.folder, target.url, .int4).contains("holds other weights (model.safetensors)"))
        let second = Target()
        #expect(reason(target.url, second.url).contains("is quantised already"))
        // A value that no scale can stand for; a tensor that is missing.
        let third = Target()
        let shape = [301, 64]
        try synthetic.write(with: [
            ("lm_head.weight", TypedArray([Float](repeating: .infinity, count: 301 * 64), shape: shape))
        ])
        #expect(reason(synthetic.folder, third.url).contains("\"lm_head.weight\" holds a value that is infinite"))
        try synthetic.write(without: "model.norm.weight")
        #expect(reason(synthetic.folder, third.url).contains("\"model.norm.weight\" is missing"))
    }

    @Test("answers with quantised weights do not depend on the cut either", arguments: [Precision.int8, .int4])
    func streaming(_ precision: Precision) throws {
        let synthetic = try SyntheticModel(Self.configuration(inner: 160), seed: 9)
        defer { synthetic.remove() }
        let target = Target()
        _ = try Conversion(from: synthetic.folder, to: target.url, precision: precision).run { _ in }
        let model = try LlamaModel(folder: target.url)
        var whole = LlamaCache(model.configuration)
        let scratch = LlamaScratch(model.configuration, block: 37)
        let expected = try model.outputs(Self.ids, cache: &whole, scratch: scratch).logits
        for seed in UInt64(1)...5 {
            var random = TestGenerator(seed: seed)
            var cache = LlamaCache(model.configuration)
            var rows: [Float] = []
            while cache.length < Self.ids.count {
                let end = min(Self.ids.count, cache.length + Int.random(in: 1...50, using: &random))
                let piece = Array(Self.ids[cache.length..<end])
                rows += try model.outputs(piece, cache: &cache, scratch: scratch).logits.values
            }
            #expect(rows == expected.values, "seed \(seed)")
        }
    }
}
