import Checksums
import Foundation
import HTTP
import Wire

/// Fetches an artifact from the daemon that announced it, and makes sure that it arrived whole.
public enum ArtifactDownload {
    /// Why there is no file.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The reason.
        public var reason: String
        /// One line for a terminal.
        public var description: String { "the artifact could not be fetched: \(reason)" }
    }

    /// Fetches into a folder, under a name that says what it is. Returns the file.
    ///
    /// - Parameters:
    ///   - artifact: as it was announced.
    ///   - daemon: the WebSocket's URL: an artifact's URL counts from there.
    ///   - trust: a file of certificates in PEM that are trusted beside the system's.
    public static func fetch(
        _ artifact: Artifact, from daemon: String, into folder: URL, trust: String? = nil
    ) async throws -> URL {
        // A name from the wire is no part of a path before it was looked at.
        let name = artifact.id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(12)
        let suffix = ["audio/flac": "flac", "audio/wav": "wav", "audio/ogg": "opus", "image/png": "png"]
        let file = folder.appending(path: "\(artifact.type.rawValue)-\(name).\(suffix[artifact.mimeType] ?? "bin")")
        let transfer = HTTPTransfer(url: try url(of: artifact, daemon), trust: trust, usesProxies: false)
        let answer: (status: Int, body: [UInt8])
        // No more than was announced: an answer may say anything.
        do { answer = try await transfer.bytes(atMost: artifact.bytes) } catch { throw Failure(reason: error.reason) }
        guard answer.status == 200 else { throw Failure(reason: "the daemon answers with \(answer.status)") }
        let body = answer.body
        guard body.count == artifact.bytes, SHA256.hex(of: body) == artifact.sha256 else {
            throw Failure(reason: "what came is not what was announced (\(body.count) of \(artifact.bytes) bytes)")
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(body).write(to: file, options: .atomic)
        return file
    }

    /// Where it is to be had, counted from the WebSocket's URL.
    public static func url(of artifact: Artifact, _ daemon: String) throws(Failure) -> String {
        guard var parts = URLComponents(string: daemon), parts.host?.isEmpty == false,
            let scheme = ["ws": "http", "wss": "https"][parts.scheme?.lowercased() ?? ""],
            artifact.url.hasPrefix("/"), !artifact.url.contains(where: { $0 <= " " })
        else { throw Failure(reason: "\(artifact.url) of \(daemon) is not an address") }
        parts.scheme = scheme
        (parts.path, parts.query, parts.fragment) = ("", nil, nil)
        return (parts.string ?? "") + artifact.url
    }
}
