import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import UnCLIP

@Suite("An unCLIP folder") struct LoadingTests {
    private func reason(_ folder: TemporaryFolder) -> String {
        do {
            _ = try UnCLIPModel(folder: folder.url)
            return ""
        } catch { return "\(error)" }
    }

    @Test(
        "a setting that would change the computation is refused by name",
        arguments: [
            ("unet/config.json", "act_fn", "\"gelu\""), ("unet/config.json", "class_embed_type", "\"timestep\""),
            ("unet/config.json", "some_new_setting", "3"), ("unet/config.json", "norm_num_groups", "3"),
            ("unet/config.json", "block_out_channels", "[8, -16, 16]"),
            ("unet/config.json", "attention_head_dim", "[1]"),
            ("unet/config.json", "down_block_types", "[\"AttnDownBlock2D\"]"),
            ("unet/config.json", "projection_class_embeddings_input_dim", "50"),
            ("unet/config.json", "cross_attention_dim", "1e30"),
            ("vae/config.json", "latent_channels", "8"), ("vae/config.json", "shift_factor", "0.1"),
            ("vae/config.json", "scaling_factor", "0"), ("text_encoder/config.json", "hidden_act", "\"quick_gelu\""),
            ("text_encoder/config.json", "hidden_size", "17"), ("image_normalizer/config.json", "embedding_dim", "23"),
            ("image_noising_scheduler/scheduler_config.json", "_class_name", "\"DDIMScheduler\""),
            ("model_index.json", "_class_name", "\"StableDiffusionPipeline\""),
            ("model_index.json", "safety", "[1, 2]"),
            ("model_index.json", "scheduler", "[\"diffusers\", \"EulerDiscreteScheduler\"]"),
        ]) func settings(file: String, key: String, value: String) throws
    {
        let folder = try TemporaryFolder(copying: "unclip")
        try folder.edit(file, key, try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed))
        let reason = reason(folder)
        #expect(!reason.isEmpty && !reason.contains("\n"), "\(key) = \(value)")
        let names = [key, "class labels", "attends to", "channels of latents", "hidden_size"]
        #expect(names.contains { reason.contains($0) }, "\(reason)")
    }

    @Test(
        "a missing file or folder is named",
        arguments: [
            "model_index.json", "unet", "vae/config.json", "tokenizer/vocab.json",
            "text_encoder/model.safetensors", "image_normalizer/diffusion_pytorch_model.safetensors",
        ])
    func missing(path: String) throws {
        let folder = try TemporaryFolder(copying: "unclip")
        try FileManager.default.removeItem(at: folder.url.appending(path: path))
        #expect(reason(folder).contains(path.split(separator: "/")[0]))
    }

    @Test("a file that is cut short, is no JSON, or holds another network is refused")
    func broken() throws {
        for (file, bytes) in [
            ("unet/config.json", Data("{".utf8)), ("scheduler/scheduler_config.json", Data("[1]".utf8)),
            ("vae/diffusion_pytorch_model.safetensors", Data(repeating: 7, count: 100)),
        ] {
            let folder = try TemporaryFolder(copying: "unclip")
            try bytes.write(to: folder.url.appending(path: file))
            #expect(reason(folder).contains(file))
        }
        let folder = try TemporaryFolder(copying: "unclip")
        let name = "diffusion_pytorch_model.safetensors"
        let unet = folder.url.appending(path: "unet/\(name)")
        try FileManager.default.removeItem(at: unet)
        try FileManager.default.copyItem(at: folder.url.appending(path: "vae/\(name)"), to: unet)
        #expect(reason(folder).contains("unet/\(name)"))
    }

    /// Five hundred lists in each other took seconds, and a configuration has room for a thousand such.
    @Test("settings that are nested deeply are refused as quickly as others", .timeLimit(.minutes(1)))
    func deep() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "config.json")
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let value = String(repeating: open, count: 500) + "1" + String(repeating: close, count: 500)
            let members = (0..<200).map { "\"key\($0)\": \(value)" }.joined(separator: ", ")
            try Data("{\(members)}".utf8).write(to: file)
            let error = #expect(throws: UnCLIPError.self) { try Settings(file) }
            #expect(error?.reason == "it is not a JSON object of settings")
        }
        try Data(#"{"key": [[{"a": [1, "b", null, true]}]]}"#.utf8).write(to: file)
        #expect(
            try Settings(file).take("key")
                == .list([.list([.object(["a": .list([.number(1), .text("b"), .null, .flag(true)])])])]))
    }

    @Test("weights in 16 bits draw what the same numbers in 32 do", arguments: [DType.bfloat16, .float16])
    func halves(dtype: DType) throws {
        let (short, long) = (try TemporaryFolder(copying: "unclip"), try TemporaryFolder(copying: "unclip"))
        var changed = false
        for part in ["unet", "vae", "text_encoder", "image_normalizer"] {
            let file = "\(part)/\(part == "text_encoder" ? "model" : "diffusion_pytorch_model").safetensors"
            let checkpoint = try Checkpoint.open(short.url.appending(path: file))
            var writers = (short: SafetensorsWriter(), long: SafetensorsWriter())
            for name in checkpoint.names {
                let array = try checkpoint.array(name)
                let words = array.floats.map { dtype == .float16 ? Float16($0).bitPattern : bfloat16($0) }
                let bytes = words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
                let rounded = TypedArray(dtype: dtype, shape: array.shape, bytes: bytes)
                changed = changed || rounded.floats != array.floats
                writers.short.add(name, rounded)
                writers.long.add(name, TypedArray(rounded.floats, shape: array.shape))
            }
            try writers.short.write(to: short.url.appending(path: file))
            try writers.long.write(to: long.url.appending(path: file))
        }
        #expect(changed)
        let pictures = try [short, long].map { folder in
            let model = try UnCLIPModel(folder: folder.url)
            var random = TestGenerator(seed: 6)
            let embedding = random.normal(model.embeddingSize)
            return try model.generate(
                embedding: embedding, seed: 2, steps: 2, size: PictureSize(width: 24, height: 32))
        }
        #expect(pictures[0] == pictures[1])
        #expect(Set(pictures[0].pixels).count > 8)
    }

    private func bfloat16(_ value: Float) -> UInt16 {
        UInt16(truncatingIfNeeded: (value.bitPattern + 0x7fff + (value.bitPattern >> 16 & 1)) >> 16)
    }

    @Test("the prompt is start, end and padding, by the special tokens' own file")
    func prompt() throws {
        let folder = try TemporaryFolder(copying: "unclip")
        let tokenizer = folder.url.appending(path: "tokenizer")
        #expect(try EmptyPrompt(folder: tokenizer, positions: 77).ids == [78, 79] + Array(repeating: 0, count: 75))
        #expect(try EmptyPrompt(folder: tokenizer, positions: 5).ids == [78, 79, 0, 0, 0])
        try FileManager.default.removeItem(at: tokenizer.appending(path: "special_tokens_map.json"))
        #expect(try EmptyPrompt(folder: tokenizer, positions: 4).ids == [78, 79, 79, 79])
        try folder.edit("tokenizer/tokenizer_config.json", "pad_token", "nowhere")
        #expect(throws: UnCLIPError.self) { _ = try EmptyPrompt(folder: tokenizer, positions: 4) }
    }
}
