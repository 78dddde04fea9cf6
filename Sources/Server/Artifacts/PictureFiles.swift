import Checksums
import Compute
import Foundation
import Images
import Wire

/// Reads and writes picture files on the compute threads, in pieces, behind everything that somebody is waiting to hear.
actor PictureFiles {
    static let shared = PictureFiles()
    private let lane = ComputePool.shared.lane(.artifact)
    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    /// The pixels of a file.
    func decode(_ file: [UInt8], limits: ImageLimits) async throws -> RGBImage {
        let decoder = try ImageDecoder(file, limits: limits)
        while try decoder.step() {
            try Task.checkCancellation()
            await Task.yield()
        }
        return decoder.image
    }

    /// Makes a picture an artifact: a PNG with text chunks.
    func keep(
        _ image: RGBImage, text: [(keyword: String, text: String)], in store: ArtifactStore
    ) async throws -> Artifact {
        // A text may hold what a chunk can't.
        let clean = text.map { ($0.keyword, $0.text.filter { $0 != "\0" }) }
        let writer = try PNGWriter(width: image.width, height: image.height, text: clean)
        while try writer.step(image) {
            try Task.checkCancellation()
            await Task.yield()
        }
        let bytes = try writer.finish()
        let draft = store.draft(suffix: "png")
        do {
            try Data(bytes).write(to: draft.temporary)
        } catch {
            draft.discard()
            throw ArtifactError(path: draft.temporary.path, reason: error.localizedDescription)
        }
        let size = try await store.keep(draft)
        return Artifact(
            id: draft.id, type: .image, mimeType: "image/png", bytes: size, sha256: SHA256.hex(of: bytes),
            url: ArtifactStore.path + draft.id, width: image.width, height: image.height)
    }
}
