import Checkpoints
import Foundation
import SEED
import Testing

@Suite("Loading a SEED tokenizer")
struct LoadingTests {
    @Test("A folder may describe another network than the official one")
    func description() throws {
        let tokenizer = try RandomTokenizer(seed: 1)
        let folder = try tokenizer.write()
        #expect(try SEEDConfiguration(folder: folder) == SEEDConfiguration())
        #expect(throws: CheckpointError.self) { try SEEDModel(folder: folder) }
        let file = folder.appending(path: SEEDConfiguration.fileName)
        try Data(#"{"vision_heads": 2, "vision_depth": 2, "query_heads": 3}"#.utf8).write(to: file)
        #expect(try SEEDConfiguration(folder: folder) == tokenizer.configuration)
        _ = try SEEDModel(folder: folder)
        for wrong in ["[]", #"{"vision_heads": "2"}"#, #"{"vision_depth": 0}"#, #"{"query_heads": 1e9}"#, ""] {
            try Data(wrong.utf8).write(to: file)
            #expect(throws: SEEDError.self) { try SEEDModel(folder: folder) }
        }
    }

    @Test("Every tensor that is used must be there, and none may be left over in the parts that are used")
    func strict() throws {
        let tokenizer = try RandomTokenizer(seed: 2)
        try tokenizer.write()
        _ = try tokenizer.load()
        let unused = ["norm.", "head.", "blocks.\(tokenizer.sizes.visionDepth)."]
        for name in tokenizer.vision.keys.sorted() where !unused.contains(where: { name.hasPrefix($0) }) {
            let entry = tokenizer.vision.removeValue(forKey: name)
            try tokenizer.write()
            #expect(throws: CheckpointError.self, "\(name)") { try tokenizer.load() }
            tokenizer.vision[name] = entry
        }
        let passedOver = ["text_branch", "pos_embed", "Qformer.cls", "Qformer.bert.encoder.layer.0.output."]
        for name in tokenizer.quantizer.keys.sorted()
        where name.hasPrefix("pos_embed_image") || !passedOver.contains(where: { name.hasPrefix($0) }) {
            // Whole layers that are missing at the end make a shorter network: sizes are the weights' own.
            guard !name.contains(".output.dense") || name.contains("attention") else { continue }
            let entry = tokenizer.quantizer.removeValue(forKey: name)
            try tokenizer.write()
            #expect(throws: CheckpointError.self, "\(name)") { try tokenizer.load() }
            tokenizer.quantizer[name] = entry
        }
        for surplus in ["ln_vision.scale", "blocks_image.0.attn.extra", "Qformer.bert.pooler.weight"] {
            tokenizer.quantizer[surplus] = .init(values: [0], shape: [1])
            try tokenizer.write()
            let error = #expect(throws: CheckpointError.self) { try tokenizer.load() }
            #expect(error?.description.contains(surplus) == true)
            tokenizer.quantizer[surplus] = nil
        }
    }

    @Test("A wrong shape is an error that names the tensor")
    func shapes() throws {
        let tokenizer = try RandomTokenizer(seed: 3)
        for name in ["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.1.mlp.fc2.weight"] {
            let entry = tokenizer.vision[name]
            tokenizer.vision[name]?.shape.append(1)
            try tokenizer.write()
            let error = #expect(throws: CheckpointError.self) { try tokenizer.load() }
            #expect(error?.description.contains(name) == true, "\(name)")
            tokenizer.vision[name] = entry
        }
        tokenizer.quantizer["query_tokens"]?.shape = [32, 24]
        try tokenizer.write()
        #expect(throws: CheckpointError.self) { try tokenizer.load() }
    }

    @Test("Heads that can't share the channels, and too few blocks, are told with what to do")
    func misfits() throws {
        let tokenizer = try RandomTokenizer(seed: 4)
        let folder = try tokenizer.write()
        for change in [\SEEDConfiguration.visionHeads, \.queryHeads, \.visionDepth] {
            var configuration = tokenizer.configuration
            configuration[keyPath: change] = 7
            let error = #expect(throws: CheckpointError.self) {
                try SEEDModel(folder: folder, configuration: configuration)
            }
            #expect(error?.description.contains(SEEDConfiguration.fileName) == true)
        }
    }

    @Test("A folder without the files says which")
    func missing() throws {
        let tokenizer = try RandomTokenizer(seed: 5)
        let folder = try tokenizer.write()
        try FileManager.default.removeItem(at: folder.appending(path: SEEDModel.visionFile))
        let error = #expect(throws: SEEDError.self) { try tokenizer.load() }
        #expect(error?.description.contains(SEEDModel.visionFile) == true)
    }

    @Test("Parts of two different networks don't fit")
    func parts() throws {
        var sizes = RandomTokenizer.Sizes()
        sizes.vision = 22
        let (one, other) = try (RandomTokenizer(seed: 6), RandomTokenizer(sizes, seed: 7))
        one.vision = other.vision
        try one.write()
        #expect(throws: SEEDError.self) { try one.load() }
    }
}
