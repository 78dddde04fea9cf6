import Checkpoints
import Foundation
import Llama
import TestModels
import TestSupport
import Testing

@testable import CheckpointTools

@Suite("Inspecting weights") struct InspectionTests {
    private static let pocket = Golden.tests.deletingLastPathComponent().appending(path: "Models/pocket")

    private func text(_ inspection: Inspection, _ label: String) -> String {
        inspection.facts.first { $0.label == label }?.text ?? ""
    }

    @Test("the default model: three networks, nothing missing")
    func pocket() throws {
        let backbone = try Inspection(Self.pocket.appending(path: "llama"))
        #expect(backbone.kind == .backbone && backbone.missing.isEmpty)
        let c = try LlamaConfiguration(contentsOf: Self.pocket.appending(path: "llama"))
        let expected = LlamaModel.tensors(c).reduce(0) { $0 + $1.shape.reduce(1, *) }
        #expect(backbone.parameters == expected && backbone.tensors.count == LlamaModel.tensors(c).count)
        #expect(text(backbone, "vocabulary").contains("speech 1024 (ids "))
        #expect(text(backbone, "memory").contains("int4"))
        let codec = try Inspection(Self.pocket.appending(path: "speech"))
        #expect(codec.kind == .speechTokenizer && codec.missing.isEmpty)
        #expect(text(codec, "codes") == "8 levels of 1024")
        let decoder = try Inspection(Self.pocket.appending(path: "speech/speechtokenizer_soundstorm_mls.pt"))
        #expect(decoder.kind == .soundStorm && decoder.missing.isEmpty)
    }

    @Test("parameters are counted, however they are stored", arguments: Precision.allCases)
    func converted(_ precision: Precision) throws {
        let synthetic = try SyntheticModel(ConversionTests.configuration(), seed: 3)
        let target = ConversionTests.Target()
        defer { synthetic.remove() }
        _ = try Conversion(from: synthetic.folder, to: target.url, precision: precision).run { _ in }
        let (before, after) = (try Inspection(synthetic.folder), try Inspection(target.url))
        // The last panel of an output that is no multiple of 16 is filled up.
        #expect((before.parameters...(before.parameters * 106 / 100)).contains(after.parameters))
        #expect(text(after, "converted").contains(precision.rawValue))
        #expect(after.missing.map { $0 } == before.missing)
    }

    @Test("what is missing is named: a tensor, a shape, a tokenizer, a shard")
    func missing() throws {
        let synthetic = try SyntheticModel(ConversionTests.configuration(), seed: 4)
        defer { synthetic.remove() }
        try synthetic.write(
            without: "model.norm.weight",
            with: [
                ("lm_head.weight", TypedArray([Float](repeating: 0, count: 300 * 64), shape: [300, 64])),
                ("model.extra", TypedArray([Float](repeating: 0, count: 2), shape: [2])),
            ])
        let missing = try Inspection(synthetic.folder).missing.joined(separator: "\n")
        for words in [
            "tokenizer.model", "tensor model.norm.weight [64]", "lm_head.weight as [301, 64]: it has [300, 64]",
            "a place for 1 tensors that no LLaMA has: model.extra",
        ] { #expect(missing.contains(words), "\(words) in \(missing)") }
        let target = ConversionTests.Target()
        try FileManager.default.copyItem(at: Golden.folder("llama-hf"), to: target.url)
        for file in ["model-00002-of-00003.safetensors"] {
            try FileManager.default.removeItem(at: target.url.appending(path: file))
        }
        let shards = try Inspection(target.url).missing
        #expect(shards.contains { $0.contains("model-00002-of-00003.safetensors: is named by") }, "\(shards)")
        #expect(throws: CheckpointError.self) { try Inspection(URL(filePath: "/nowhere")) }
        #expect(throws: CheckpointError.self) { try Inspection(Golden.tests) }
    }
}
