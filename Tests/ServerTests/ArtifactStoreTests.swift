import Foundation
import Logging
import Server
import Testing
import WebSockets

@Suite("Artifact store") struct ArtifactStoreTests {
    /// A folder that is gone after the body.
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func store(_ folder: URL, _ change: (inout ArtifactStore.Limits) -> Void = { _ in }) throws -> ArtifactStore
    {
        var limits = ArtifactStore.Limits()
        change(&limits)
        return try ArtifactStore(
            folder: folder, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func keep(_ bytes: Int, in store: ArtifactStore) async throws -> String {
        let draft = store.draft(suffix: "flac")
        try Data(repeating: 7, count: bytes).write(to: draft.temporary)
        _ = try await store.keep(draft)
        return draft.id
    }

    private func fetch(_ id: String, from store: ArtifactStore, _ headers: [String: String] = [:]) -> HTTPResponse? {
        store.response(to: HTTPRequest(method: "GET", path: ArtifactStore.path + id, headers: headers))
    }

    @Test("what is complete can be fetched, whole and in part; what is not, can't")
    func fetching() async throws {
        try await withFolder { folder in
            let store = try store(folder)
            let draft = store.draft(suffix: "flac")
            try Data(repeating: 7, count: 100).write(to: draft.temporary)
            #expect(fetch(draft.id, from: store)?.status == 404)
            _ = try await store.keep(draft)
            let whole = try #require(fetch(draft.id, from: store))
            #expect(whole.status == 200 && whole.body.count == 100)
            #expect(whole.headers.contains(.init("content-type", "audio/flac")))
            let part = try #require(fetch(draft.id, from: store, ["range": "bytes=10-19"]))
            #expect(part.status == 206 && part.body.count == 10)
            let tag = try #require(whole.headers.first { $0.name == "etag" }?.value)
            #expect(fetch(draft.id, from: store, ["if-none-match": tag])?.status == 304)
        }
    }

    @Test(
        "names that are none lead nowhere",
        arguments: [
            "", "..", "../../etc/passwd", "a", String(repeating: "A", count: 32), String(repeating: "a", count: 32),
        ])
    func names(_ name: String) async throws {
        try await withFolder { folder in
            let store = try store(folder)
            #expect(fetch(name, from: store)?.status == 404)
        }
    }

    @Test("other paths are not the store's") func otherPaths() async throws {
        try await withFolder { folder in
            let store = try store(folder)
            #expect(store.response(to: HTTPRequest(method: "GET", path: "/healthz")) == nil)
        }
    }

    @Test("what a crash left half done is removed, and what was complete stays")
    func crash() async throws {
        try await withFolder { folder in
            let first = try store(folder)
            let kept = try await keep(10, in: first)
            try Data(count: 5).write(to: first.draft(suffix: "flac").temporary)
            let second = try store(folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["\(kept).flac"])
            #expect(fetch(kept, from: second)?.status == 200)
        }
    }

    @Test("the oldest make room, and one that is larger than all may be is refused")
    func room() async throws {
        try await withFolder { folder in
            let store = try store(folder) { $0.bytes = 250 }
            let first = try await keep(100, in: store)
            let past = Date(timeIntervalSinceNow: -60)
            try FileManager.default.setAttributes(
                [.modificationDate: past], ofItemAtPath: folder.appending(path: "\(first).flac").path)
            let second = try await keep(100, in: store)
            let third = try await keep(100, in: store)
            #expect(fetch(first, from: store)?.status == 404)
            #expect(fetch(second, from: store)?.status == 200 && fetch(third, from: store)?.status == 200)
            await #expect(throws: ArtifactError.self) { _ = try await keep(251, in: store) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
        }
    }

    @Test("what is too old is removed, and not fetched before that") func age() async throws {
        try await withFolder { folder in
            let store = try store(folder) { $0.age = .seconds(100) }
            let id = try await keep(10, in: store)
            let file = folder.appending(path: "\(id).flac")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -101)], ofItemAtPath: file.path)
            #expect(fetch(id, from: store)?.status == 404)
            await store.sweep()
            #expect(!FileManager.default.fileExists(atPath: file.path))
        }
    }

    @Test("a folder that cannot be one is an error at the start") func badFolder() async throws {
        try await withFolder { folder in
            try Data().write(to: folder)
            #expect(throws: ArtifactError.self) { try store(folder.appending(path: "inside")) }
        }
    }
}
