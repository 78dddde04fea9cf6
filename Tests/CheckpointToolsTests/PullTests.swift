import Checksums
import Foundation
import TestSupport
import Testing

@testable import CheckpointTools

@Suite("Pulling a model from a hub") struct PullTests {
    /// A folder that is removed at the end.
    private struct Folder: ~Copyable {
        let url = FileManager.default.temporaryDirectory.appending(path: "pulled-\(UUID().uuidString)")
        deinit { try? FileManager.default.removeItem(at: url) }

        var files: [String] {
            let all = FileManager.default.subpaths(atPath: url.path) ?? []
            return all.filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: url.appending(path: $0).path, isDirectory: &isFolder)
                    && !isFolder.boolValue
            }.sorted()
        }
    }

    private static let files: [String: Data] = {
        var random = TestGenerator(seed: 4)
        func bytes(_ count: Int) -> Data { Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }) }
        return [
            "config.json": Data("{}".utf8), "tokenizer.model": bytes(500), "README.md": bytes(10),
            "model-00001-of-00002.safetensors": bytes(300_000), "model-00002-of-00002.safetensors": bytes(70_000),
            "pytorch_model.bin": bytes(40), "speech/ckpt.dev": bytes(1000), "speech/a b;c.json": bytes(20),
            "onnx/model.onnx": bytes(5), "unet/model.fp16.safetensors": bytes(7), "LICENSE": bytes(30),
            "empty.txt": Data(),
        ]
    }()

    private static let needed = [
        "LICENSE", "config.json", "empty.txt", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "speech/a b;c.json", "speech/ckpt.dev", "tokenizer.model",
    ]

    /// What a hub says of files; large ones are told by SHA-256, others by git's name.
    private static func listing(_ files: [String: Data], extra: [[String: Any]] = []) throws -> Data {
        let siblings = try files.sorted { $0.key < $1.key }.map { name, data -> [String: Any] in
            let temporary = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try data.write(to: temporary)
            defer { try? FileManager.default.removeItem(at: temporary) }
            var entry: [String: Any] = [
                "rfilename": name, "size": data.count, "blobId": try GitBlob.name(ofFile: temporary),
            ]
            if data.count > 10_000 {
                entry["lfs"] = ["sha256": SHA256.hex(of: data), "size": data.count, "pointerSize": 1]
            }
            return entry
        }
        return try JSONSerialization.data(
            withJSONObject: ["id": "owner/model", "sha": "0123456789abcdef", "siblings": siblings + extra])
    }

    private func hub(_ server: HubServer, token: String? = nil) -> Pull.Hub {
        Pull.Hub(environment: ["HF_ENDPOINT": server.endpoint + "/", "HF_TOKEN": token ?? ""])
    }

    private func pull(_ server: HubServer, _ target: URL, token: String? = nil) throws -> Pull {
        var pull = try Pull("owner/model", from: hub(server, token: token), to: target)
        pull.pause = .milliseconds(5)
        return pull
    }

    private func check(_ folder: borrowing Folder) throws {
        #expect(folder.files == Self.needed)
        for file in Self.needed {
            #expect(try Data(contentsOf: folder.url.appending(path: file)) == Self.files[file], "\(file)")
        }
    }

    @Test("of a pipeline comes what pictures are drawn with")
    func pipeline() throws {
        let components = ["unet", "vae", "text_encoder", "image_encoder", "image_normalizer", "prior"]
        let paths = ["model_index.json", "sd21-unclip-h.ckpt"] + components.map { "\($0)/config.json" }
        let files = Dictionary(uniqueKeysWithValues: paths.map { ($0, Data()) })
        func needed(_ files: [String: Data]) throws -> [String] {
            try JSONDecoder().decode(HubListing.self, from: Self.listing(files)).needed.map(\.rfilename)
        }
        let drawn = ["image_normalizer/config.json", "model_index.json", "text_encoder/config.json"]
        #expect(try needed(files) == drawn + ["unet/config.json", "vae/config.json"])
        // A folder of that name in another repository is its own affair.
        #expect(try needed(["prior/config.json": Data()]) == ["prior/config.json"])
    }

    @Test("what is needed comes, whole; the second time nothing is fetched")
    func whole() throws {
        let server = try HubServer(Self.files, listing: try Self.listing(Self.files))
        defer { server.stop() }
        let folder = Folder()
        var last = (0, 0)
        let summary = try pull(server, folder.url).run { last = ($0.done, $0.total) }
        try check(folder)
        #expect(summary.files == 8 && summary.kept == 0 && summary.commit == "0123456789abcdef")
        #expect(last.0 == last.1 && last.1 == summary.bytes)
        let requests = server.downloads.count
        #expect(try pull(server, folder.url).run { _ in }.kept == 8)
        #expect(server.downloads.count == requests)
    }

    @Test("connections that drop, ranges that are wrong, errors that pass: the file arrives all the same")
    func mischief() throws {
        let cases: [[HubServer.Mischief]] = [
            [.drop(after: 0), .drop(after: 1000), .drop(after: 20_000)], [.drop(after: 500), .ignoreRange],
            [.drop(after: 7), .wrongRange], [.damage], [.status(500), .status(503), .status(429)],
            [.drop(after: 299_999), .drop(after: 0), .wrongRange, .drop(after: 5), .ignoreRange],
        ]
        for mischief in cases {
            let folder = Folder()
            let only = ["model-00001-of-00002.safetensors": Self.files["model-00001-of-00002.safetensors"] ?? Data()]
            let single = try HubServer(only, listing: try Self.listing(only))
            defer { single.stop() }
            single.misbehave(mischief)
            _ = try pull(single, folder.url).run { _ in }
            #expect(folder.files == Array(only.keys), "\(mischief)")
            let data = try Data(contentsOf: folder.url.appending(path: "model-00001-of-00002.safetensors"))
            #expect(data == only.values.first, "\(mischief)")
        }
    }

    @Test("an interrupted run leaves nothing under a final name, and the next goes on where it stopped")
    func resuming() throws {
        let server = try HubServer(Self.files, listing: try Self.listing(Self.files))
        defer { server.stop() }
        let folder = Folder()
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            _ = try pull(server, folder.url).run {
                if $0.file.hasPrefix("model-00001"), $0.done > 100_000 { throw Stop() }
            }
        }
        let partial = try #require(folder.files.first { $0.hasSuffix(".partial") })
        #expect(!folder.files.contains("model-00001-of-00002.safetensors"))
        let size = try Data(contentsOf: folder.url.appending(path: partial)).count
        #expect(size > 50_000)
        _ = try pull(server, folder.url).run { _ in }
        try check(folder)
        #expect(server.downloads.contains { $0.headers["range"] == "bytes=\(size)-" })
    }

    @Test("a token is shown to the hub and to nobody else")
    func tokens() throws {
        let server = try HubServer(Self.files, listing: try Self.listing(Self.files), token: "hf_secret")
        defer { server.stop() }
        let folder = Folder()
        _ = try pull(server, folder.url, token: "hf_secret").run { _ in }
        try check(folder)
        #expect(server.downloads.allSatisfy { $0.headers["authorization"] == nil })
        for (token, words) in [(nil, "set HF_TOKEN"), ("other", "with this HF_TOKEN")] as [(String?, String)] {
            let error = #expect(throws: PullError.self) { try pull(server, folder.url, token: token).run { _ in } }
            #expect(error?.description.contains(words) == true)
        }
    }

    @Test("what can't be had is refused by one line")
    func refusals() throws {
        let server = try HubServer(Self.files, listing: try Self.listing(Self.files))
        defer { server.stop() }
        let folder = Folder()
        func reason(_ repository: String, _ server: HubServer, revision: String = "main") -> String {
            do {
                var pull = try Pull(repository, revision: revision, from: hub(server), to: folder.url)
                pull.pause = .milliseconds(1)
                _ = try pull.run { _ in }
                return ""
            } catch { return "\(error)" }
        }
        #expect(reason("owner/none", server).contains("does not exist (404)"))
        #expect(reason("owner/model", server, revision: "other/branch").contains("does not exist (404)"))
        for bad in ["model", "a/b/c", "../model", "owner/..", "o wner/model", ""] {
            #expect(reason(bad, server).contains("is no repository"))
        }
        #expect(folder.files.isEmpty)
        let escaping: [[String: Any]] = [["rfilename": "a/../../evil.json", "size": 2]]
        let evil = try HubServer(Self.files, listing: try Self.listing(Self.files, extra: escaping))
        defer { evil.stop() }
        #expect(reason("owner/model", evil).contains("outside of its folder"))
        let strange = try HubServer(Self.files, listing: Data("<html>".utf8))
        defer { strange.stop() }
        #expect(reason("owner/model", strange).contains("does not answer as a Hugging Face hub does"))
        #expect(folder.files.isEmpty)
        let only = ["model.safetensors": Self.files["pytorch_model.bin"] ?? Data()]
        let lying = try HubServer(only, listing: try Self.listing(["model.safetensors": Data([1, 2])]))
        defer { lying.stop() }
        #expect(reason("owner/model", lying).contains("sends more than the 2 bytes"))
        let gone = try HubServer(only, listing: Data())
        gone.stop()
        #expect(reason("owner/model", gone).contains("connect"))
    }
}
