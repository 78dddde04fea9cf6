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

    @Test("the default model: its networks, nothing missing")
    func pocket() throws {
        let backbone = try Inspection(Self.pocket.appending(path: "llama"))
        #expect(backbone.kind == .backbone && backbone.missing.isEmpty)
        let c = try LlamaConfiguration(contentsOf: Self.pocket.appending(path: "llama"))
        let expected = LlamaModel.tensors(c).reduce(0) { $0 + $1.shape.reduce(1, *) }
        // In int8 each matrix has a tensor of scales beside it, and the vocabulary's rows are filled up to whole sixteens.
        let weights = backbone.tensors.filter { !$0.name.hasSuffix(".weight_scale") }
        #expect(weights.count == LlamaModel.tensors(c).count)
        #expect((expected..<expected + 2 * 16 * c.hidden_size).contains(backbone.parameters))
        #expect(text(backbone, "vocabulary").contains("speech 1024 (ids "))
        #expect(backbone.codes["music"] == 1024)
        #expect(text(backbone, "memory").contains("int4"))
        #expect(text(backbone, "taught").hasPrefix("to converse"))
        let base = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString)-base")
        defer { try? FileManager.default.removeItem(at: base) }
        try FileManager.default.createSymbolicLink(at: base, withDestinationURL: Self.pocket.appending(path: "llama"))
        #expect(try text(Inspection(base), "taught").hasPrefix("single tasks"))
        let codec = try Inspection(Self.pocket.appending(path: "speech"))
        #expect(codec.kind == .speechTokenizer && codec.missing.isEmpty)
        #expect(text(codec, "codes") == "8 levels of 1024")
        let decoder = try Inspection(Self.pocket.appending(path: "speech/speechtokenizer_soundstorm_mls.pt"))
        #expect(decoder.kind == .soundStorm && decoder.missing.isEmpty)
        let pictures = try Inspection(Self.pocket.appending(path: "seed"))
        #expect(pictures.kind == .imageTokenizer && pictures.missing.isEmpty, "\(pictures.missing)")
        for part in [codec, pictures] {
            #expect(!part.codes.isEmpty && part.codes.allSatisfy { backbone.codes[$0.key] == $0.value })
        }
        let painter = try Inspection(Self.pocket.appending(path: "unclip"))
        #expect(painter.kind == .pictures && painter.missing.isEmpty, "\(painter.missing)")
    }

    @Test("a pipeline that draws pictures: its components and what they lack")
    func pictures() throws {
        let whole = try Inspection(Golden.file("unclip", "stable-diffusion-2-1-unclip"))
        #expect(whole.kind == .pictures && whole.missing.isEmpty)
        #expect(text(whole, "picture") == "64 × 64 pixels, latents 16 × 16")
        #expect(text(whole, "scheduler") == "PNDM, v_prediction")
        #expect(whole.tensors.contains { $0.name == "unet/conv_in.weight" })
        let half = try Inspection(Golden.file("unclip-half", "stable-diffusion-2-1-unclip"))
        #expect(half.missing.isEmpty && text(half, "unet").contains("F16"))
        let other = FileManager.default.temporaryDirectory.appending(path: "anygpt-inspect-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: other) }
        try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
        try Data("{\"_class_name\": \"StableDiffusionPipeline\"}".utf8).write(
            to: other.appending(path: "model_index.json"))
        let lacking = try Inspection(other)
        #expect(lacking.missing.contains("the weights of unet"))
        #expect(lacking.missing.contains { $0.contains("StableDiffusionPipeline") })
    }

    @Test("an image tokenizer: its two files, what they make together, and what is missing")
    func imageTokenizer() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-inspect-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["seed_quantizer.pt", "eva_vit_g.pth"] {
            try FileManager.default.copyItem(
                at: Golden.file("seed-encode", name), to: folder.appending(path: name))
        }
        // Without a description it is taken for the official network, which has more blocks.
        let unlike = try Inspection(folder)
        #expect(unlike.kind == .imageTokenizer)
        #expect(unlike.missing.count == 1 && unlike.missing[0].contains("seed_config.json"), "\(unlike.missing)")
        let description = folder.appending(path: "seed_config.json")
        try #require(mkfifo(description.path, 0o600) == 0)
        let piped = try Inspection(folder).missing
        #expect(piped.count == 1 && piped[0].contains("seed_config.json") && piped[0].contains("regular"), "\(piped)")
        try FileManager.default.removeItem(at: description)
        try Data(#"{"vision_heads": 4, "vision_depth": 3, "query_heads": 6}"#.utf8).write(to: description)
        let whole = try Inspection(folder)
        #expect(whole.missing == [])
        #expect(text(whole, "picture") == "224 × 224 pixels: 32 tokens, each one of 8192")
        #expect(text(whole, "vision").contains("F16") && text(whole, "quantizer").contains("F32"))
        #expect(text(whole, "shape").hasPrefix("3 blocks of 4 heads"))
        #expect(whole.tensors.contains { $0.name == "vision/patch_embed.proj.weight" })
        #expect(whole.parameters == whole.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) })
        try FileManager.default.removeItem(at: folder.appending(path: "eva_vit_g.pth"))
        #expect(try Inspection(folder).missing == ["eva_vit_g.pth, the vision transformer"])
    }

    @Test("a music tokenizer: its sound, its codes, its shape, and what is missing")
    func musicTokenizer() throws {
        let encodec = try SyntheticEncodec()
        let whole = try Inspection(encodec.folder)
        #expect(whole.kind == .encodec && whole.missing == [])
        #expect(text(whole, "sound") == "32000 Hz, mono, 50 frames a second")
        #expect(text(whole, "codes") == "4 levels of 256" && whole.codes == ["music": 1024])
        #expect(text(whole, "shape") == "2 filters, latent 8, 2 LSTM layers, strides [8, 5, 4, 4]")
        #expect(text(whole, "memory").hasSuffix("mapped as they are"))
        try FileManager.default.removeItem(at: encodec.folder.appending(path: "model.safetensors"))
        let weightless = try Inspection(encodec.folder)
        #expect(weightless.kind == .encodec && !weightless.missing.isEmpty)
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
