import Audio
import Compute
import Foundation
import Wire

/// Pieces of music as something to be played among replies.
public enum PlayableMusic {
    /// A sound file's samples, mixed to one channel, at the rate of what plays them.
    ///
    /// A thread of its own reads it: the pool of tasks may have a single one, and the microphone needs that all the time.
    public static func samples(of file: URL, sampleRate: Int) async throws -> [Float] {
        try await onThread(named: "music") {
            Result { try AudioFile.read(file.path, mixed: true).mono(sampleRate: sampleRate, quality: .medium) }
        }.get()
    }

    /// Fetches a piece to be played, and leaves no file behind.
    ///
    /// - Parameters:
    ///   - artifact: as it was announced.
    ///   - daemon: the WebSocket's URL: an artifact's URL counts from there.
    ///   - trust: a file of certificates in PEM that are trusted beside the system's.
    ///   - sampleRate: samples a second of what plays it.
    public static func fetch(
        _ artifact: Artifact, from daemon: String, trust: String? = nil, sampleRate: Int
    ) async throws -> [Float] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try await ArtifactDownload.fetch(artifact, from: daemon, into: folder, trust: trust)
        return try await samples(of: file, sampleRate: sampleRate)
    }
}
