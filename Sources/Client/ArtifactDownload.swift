import Checksums
import Dispatch
import Foundation
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
    public static func fetch(_ artifact: Artifact, from daemon: String, into folder: URL) async throws -> URL {
        guard let parts = URLComponents(string: daemon), let host = parts.host, !host.isEmpty,
            parts.scheme?.lowercased() == "ws", let port = UInt16(exactly: parts.port ?? 80),
            artifact.url.hasPrefix("/"), !artifact.url.contains(where: { $0 <= " " })
        else { throw Failure(reason: "\(artifact.url) of \(daemon) is not an address for ws:// connections") }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        // A name from the wire is no part of a path before it was looked at.
        let name = artifact.id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(12)
        let suffix = ["audio/flac": "flac", "audio/wav": "wav", "audio/ogg": "opus", "image/png": "png"]
        let file = folder.appending(path: "\(artifact.type.rawValue)-\(name).\(suffix[artifact.mimeType] ?? "bin")")
        let url = artifact.url
        let bytes: Result<[UInt8], any Error> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { try get(url, host: bare, port: port, expected: artifact.bytes) })
            }
        }
        let body = try bytes.get()
        guard body.count == artifact.bytes, SHA256.hex(of: body) == artifact.sha256 else {
            throw Failure(reason: "what came is not what was announced (\(body.count) of \(artifact.bytes) bytes)")
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(body).write(to: file, options: .atomic)
        return file
    }

    private static func get(_ path: String, host: String, port: UInt16, expected: Int) throws -> [UInt8] {
        let socket: Int32
        do {
            socket = try HealthProbe.connect(host: host, port: port, timeout: .seconds(30))
        } catch { throw Failure(reason: error.reason) }
        defer { close(socket) }
        let authority = host.contains(":") ? "[\(host)]" : host
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(authority):\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard request.withUnsafeBytes({ send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }) == request.count
        else { throw Failure(reason: HealthProbe.failure().reason) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var bodyStart: Int?
        // No more than was announced: an answer may say anything.
        while answer.count < (bodyStart ?? 0) + expected + (64 << 10) {
            if let bodyStart, answer.count >= bodyStart + expected { break }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count >= 0 else { throw Failure(reason: HealthProbe.failure().reason) }
            if count == 0 { break }
            answer += buffer[..<count]
            if bodyStart == nil { bodyStart = answer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound }
        }
        guard let bodyStart, answer.starts(with: "HTTP/1.".utf8) else { throw Failure(reason: "no HTTP answer came") }
        let line = String(decoding: answer[..<(answer.firstIndex(of: 13) ?? 0)], as: UTF8.self)
        guard line.split(separator: " ").dropFirst().first == "200" else {
            throw Failure(reason: "the daemon says \"\(line.prefix(60))\"")
        }
        return Array(answer[bodyStart...])
    }
}
