import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Hugging Face folders")
struct FolderTests {
    @Test("The shards of either kind hold the same tensors, bit by bit")
    func shardsAgree() throws {
        let golden = Golden.folder("llama-hf")
        let safetensors = try Checkpoint.open(golden)
        let pickled = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: golden.path) where name.hasPrefix("pytorch") {
            try FileManager.default.createSymbolicLink(
                at: pickled.file(name), withDestinationURL: golden.appending(path: name))
        }
        let torch = try Checkpoint.open(pickled.url)
        #expect(safetensors.names.count == 30)
        #expect(safetensors.info("model.norm.weight")?.file.hasSuffix("model-00002-of-00003.safetensors") == true)
        #expect(torch.info("model.norm.weight")?.file.hasSuffix("pytorch_model-00002-of-00003.bin") == true)
        for name in safetensors.names { #expect(try torch.array(name) == safetensors.array(name), "\(name)") }
        let onlyTorch = Set(torch.names).subtracting(safetensors.names)
        #expect(onlyTorch.allSatisfy { $0.hasSuffix("rotary_emb.inv_freq") }, "\(onlyTorch)")
    }

    /// Two small shards and an index, written anew for each test, and what the index then makes of them.
    private func open(index: String, _ shards: [String: [String]]) throws -> Checkpoint {
        let folder = try TemporaryFolder()
        for (file, names) in shards {
            var writer = SafetensorsWriter()
            for name in names { writer.add(name, TypedArray([1, 2] as [Float], shape: [2])) }
            try writer.write(to: folder.file(file))
        }
        try index.write(to: folder.file("model.safetensors.index.json"), atomically: true, encoding: .utf8)
        return try Checkpoint.open(folder.url)
    }

    @Test("An index and its shards must agree")
    func index() throws {
        let map = #"{"metadata": {"total_size": 16}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}"#
        let good = try open(index: map, ["1.safetensors": ["a"], "2.safetensors": ["b"]])
        #expect(good.names == ["a", "b"])
        #expect(try good.tensor("b").values == [1, 2])

        let cases: [(shards: [String: [String]], message: String)] = [
            (["1.safetensors": ["a"], "2.safetensors": ["c"]], "tensor \"c\" is not what"),
            (["1.safetensors": ["a"], "2.safetensors": []], "tensor \"b\" is missing"),
            (["1.safetensors": ["a", "b"], "2.safetensors": ["b"]], "tensor \"b\" is not what"),
            (["1.safetensors": ["a"], "2.safetensors": ["a", "b"]], "tensor \"a\" is in"),
            (["1.safetensors": ["a"]], "2.safetensors: is named by"),
        ]
        for (shards, message) in cases {
            let error = #expect(throws: CheckpointError.self) { try open(index: map, shards) }
            #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        }
    }

    @Test(
        "An index that leads out of its folder, or is none, is refused",
        arguments: [
            (#"{"weight_map": {"a": "../1.safetensors"}}"#, "not in this folder"),
            (#"{"weight_map": {"a": "/etc/passwd"}}"#, "not in this folder"),
            (#"{"weight_map": {"a": "x/../../1.safetensors"}}"#, "not in this folder"),
            (#"{"weight_map": {"a": ""}}"#, "not in this folder"),
            (#"{"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}}"#, "twice"),
            (#"{"weight_map": {}}"#, "names no tensors"),
            (#"{"weight_map": {"a": 1}}"#, "expected"),
            (#"{"weight_map": {"a": "1.safetensors"}"#, "expected"),
            ("", "expected"),
        ])
    func hostileIndex(index: String, message: String) throws {
        let error = #expect(throws: CheckpointError.self) { try open(index: index, ["1.safetensors": ["a"]]) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test("A folder without weights says what it lacks")
    func emptyFolder() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.url) }
        #expect(error?.description.contains("none of model.safetensors") == true)
    }
}

/// A folder that is there as long as its owner.
final class TemporaryFolder {
    let url: URL

    init() throws {
        // In memory where there is such a place: the tests with damaged files write tens of thousands.
        let memory = URL(filePath: "/dev/shm")
        let parent =
            FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
        url = parent.appending(path: "checkpoints-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String) -> URL { url.appending(path: name) }

    /// Writes a file and names it.
    func write(_ bytes: some Sequence<UInt8>, to name: String = "file") throws -> URL {
        try Data(bytes).write(to: file(name))
        return file(name)
    }
}
