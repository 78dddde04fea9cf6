import CheckpointTools
import Client
import Foundation
import Parity
import Synchronization
import Wire

/// Pictures and pieces of music that come in a conversation: saved into a folder, or told by their addresses.
final class ArrivedArtifacts: Sendable {
    private let daemon: DaemonAddress.Endpoint
    private let folder: URL?
    private let fetches = Mutex<[(id: String, task: Task<Result<URL, any Error>, Never>)]>([])

    /// - Parameters:
    ///   - daemon: whom they come from.
    ///   - folder: where they are saved; nil leaves them where they are.
    init(from daemon: DaemonAddress.Endpoint, into folder: String?) {
        self.daemon = daemon
        self.folder = folder.map { URL(filePath: $0) }
    }

    /// One has come: begins to fetch it. `say` is given the line that tells where it is, as soon as that is true.
    func take(_ artifact: Artifact, say: @escaping @Sendable (String) -> Void) {
        let label = artifact.type.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
        guard let folder else {
            let address = try? ArtifactDownload.url(of: artifact, daemon.url)
            return say(label + ReportTable.harmless(address ?? artifact.url))
        }
        let fetch = Task { [daemon] () -> Result<URL, any Error> in
            do {
                let file = try await ArtifactDownload.fetch(
                    artifact, from: daemon.url, into: folder, trust: daemon.trust)
                say(label + Self.line(artifact, in: file))
                return .success(file)
            } catch {
                say("       (\(error))")
                return .failure(error)
            }
        }
        fetches.withLock { $0.append((artifact.id, fetch)) }
    }

    /// The sound of a piece that was taken, to be played: the saved file's, where there is one; nil when it could not be
    /// saved.
    func sound(of artifact: Artifact, sampleRate: Int) async throws -> [Float]? {
        guard let saving = fetches.withLock({ $0.last { $0.id == artifact.id } }) else {
            return try await PlayableMusic.fetch(
                artifact, from: daemon.url, trust: daemon.trust, sampleRate: sampleRate)
        }
        guard case .success(let file) = await saving.task.value else { return nil }
        return try await PlayableMusic.samples(of: file, sampleRate: sampleRate)
    }

    /// Waits until all that have come are saved. Returns what went wrong, which was said already.
    func finish() async -> [String] {
        var failures: [String] = []
        for fetch in fetches.withLock({ $0 }) {
            if case .failure(let failure) = await fetch.task.value { failures.append("\(failure)") }
        }
        return failures
    }

    /// A file and what is in it: "pictures/image-5f….png: 5.1 kB, 64 × 64".
    static func line(_ artifact: Artifact, in file: URL) -> String {
        let length = artifact.durationMilliseconds.map { String(format: ", %.2f s", Double($0) / 1000) }
        let size = artifact.width.flatMap { width in artifact.height.map { ", \(width) × \($0)" } }
        return "\(file.relativePath): \(Size.text(artifact.bytes))\(length ?? size ?? "")"
    }
}
