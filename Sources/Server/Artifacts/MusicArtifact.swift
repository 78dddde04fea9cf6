import Audio
import Checksums
import Compute
import Foundation
import Wire

/// A piece of music while it is made: its samples become a file as they come. Runs on the compute threads, behind
/// everything that somebody is waiting to hear.
actor MusicArtifact {
    private let lane: ComputeLane
    private let store: ArtifactStore
    private let draft: ArtifactDraft
    private let format: AudioFileWriter.Format
    private let sampleRate: Int
    private let writer: AudioFileWriter
    /// Where the kind of file does not take the model's rate.
    private let resampler: Resampler?
    private var samples = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    /// Begins a file, with its tags.
    init(
        in store: ArtifactStore, format: AudioFileWriter.Format, sampleRate: Int, tags: AudioFileTags
    ) throws {
        lane = ComputePool.shared.lane(.artifact)
        self.store = store
        draft = store.draft(suffix: format.suffix)
        (self.format, self.sampleRate) = (format, sampleRate)
        let rate = format.rate(near: sampleRate)
        resampler = rate == sampleRate ? nil : try Resampler(from: sampleRate, to: rate, quality: .best)
        writer = try AudioFileWriter(draft.temporary.path, sampleRate: rate, format: format, tags: tags)
    }

    /// Adds samples.
    func append(_ piece: [Float]) throws {
        samples += piece.count
        try writer.write(try resampler?.process(piece) ?? piece)
    }

    /// The piece is complete: closes the file, puts it in its place and says what it is.
    func finish() async throws -> Artifact {
        if let resampler { try writer.write(try resampler.finish()) }
        try writer.close()
        let digest = try SHA256.hex(ofFile: draft.temporary)
        let bytes = try await store.keep(draft)
        return Artifact(
            id: draft.id, type: .music, mimeType: ArtifactFormat.types[format.suffix] ?? "", bytes: bytes,
            sha256: digest, url: ArtifactStore.path + draft.id,
            durationMilliseconds: Int((Double(samples) * 1000 / Double(sampleRate)).rounded()))
    }

    /// Nobody wants it any more.
    func discard() {
        try? writer.close()
        draft.discard()
    }
}
