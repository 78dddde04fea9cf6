import Foundation
import Logging
import WebSockets
import Wire

/// Pictures and pieces of music that were made, in a folder: written beside it first, put in place by one renaming when
/// they are complete and on the disk, so that a crash leaves no half one; found by a name that cannot be guessed, which
/// is all the authority that a fetch needs; removed when they are too old, or when all of them together are too large.
public actor ArtifactStore {
    /// What is kept, and for how long.
    public struct Limits: Sendable, Equatable {
        /// Bytes of all artifacts together.
        public var bytes = 1 << 30
        /// How long one is kept.
        public var age = Duration.seconds(24 * 3600)
        /// Artifacts that one session may make.
        public var perSession = 100

        /// A gibibyte, a day, a hundred for each session.
        public init() {}
    }

    /// The folder.
    public let folder: URL
    /// What is kept.
    public nonisolated let limits: Limits
    private let logger: Logger

    /// What a name looks like: 32 characters out of 32, 160 bits.
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
    private static let nameLength = 32

    /// Uses a folder, which is made where it is missing. What a crash has left half done in it is removed.
    ///
    /// - Throws: when the folder can't be made or written to.
    public init(folder: URL, limits: Limits, logger: Logger) throws {
        (self.folder, self.limits, self.logger) = (folder, limits, logger)
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ArtifactError(path: folder.path, reason: "cannot be made (\(error.localizedDescription))")
        }
        guard access(folder.path, W_OK | X_OK) == 0 else {
            throw ArtifactError(path: folder.path, reason: String(cString: strerror(errno)))
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasSuffix(Self.unfinished) {
            try? FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }

    /// How a file is called that is still written.
    static let unfinished = ".part"

    /// The place of a new artifact, whose file the caller writes.
    ///
    /// - Parameter suffix: what its file is called at its end: "flac".
    public nonisolated func draft(suffix: String) -> ArtifactDraft {
        var generator = SystemRandomNumberGenerator()
        let id = String((0..<Self.nameLength).map { _ in Self.alphabet.randomElement(using: &generator) ?? "a" })
        return ArtifactDraft(id: id, name: "\(id).\(suffix)", folder: folder)
    }

    /// Takes in a file that is complete: puts it on the disk and in its place. Older ones make room for it.
    ///
    /// - Throws: `ArtifactError` when the disk refuses, or when it alone is larger than all may be.
    public func keep(_ draft: ArtifactDraft) throws -> Int {
        let file = try FileHandle(forUpdating: draft.temporary)
        let size = Int(try file.seekToEnd())
        guard size <= limits.bytes else {
            try? file.close()
            draft.discard()
            throw ArtifactError(
                path: draft.temporary.path, reason: "has \(size) bytes, more than all artifacts may (\(limits.bytes))")
        }
        guard fsync(file.fileDescriptor) == 0 else {
            let reason = String(cString: strerror(errno))
            try? file.close()
            draft.discard()
            throw ArtifactError(path: draft.temporary.path, reason: reason)
        }
        try file.close()
        sweep(toMakeRoomFor: size)
        guard rename(draft.temporary.path, draft.place.path) == 0 else {
            let reason = String(cString: strerror(errno))
            draft.discard()
            throw ArtifactError(path: draft.place.path, reason: reason)
        }
        syncFolder()
        return size
    }

    /// Removes what is too old, and the oldest beyond the limit of all.
    public func sweep(toMakeRoomFor size: Int = 0) {
        let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey, .isRegularFileKey]
        let files =
            (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys))) ?? []
        var kept: [(url: URL, size: Int, date: Date)] = []
        let oldest = Date(timeIntervalSinceNow: -(limits.age / .seconds(1)))
        for url in files where Self.isArtifact(url.lastPathComponent) {
            guard let values = try? url.resourceValues(forKeys: keys), values.isRegularFile == true,
                let bytes = values.fileSize, let date = values.contentModificationDate
            else { continue }
            if date < oldest {
                remove(url, "it is too old")
            } else {
                kept.append((url, bytes, date))
            }
        }
        var total = kept.reduce(size) { $0 + $1.size }
        for file in kept.sorted(by: { $0.date < $1.date }) where total > limits.bytes {
            remove(file.url, "newer ones need its room")
            total -= file.size
        }
    }

    /// Where an artifact lies; nil when it is not there any more.
    nonisolated func file(of artifact: Artifact) -> URL? {
        ArtifactFormat.types.keys.lazy.map { self.folder.appending(path: "\(artifact.id).\($0)") }
            .first { FileManager.default.fileExists(atPath: $0.path) }
    }

    /// Removes an artifact that nobody was told of.
    nonisolated func forget(_ artifact: Artifact) {
        for suffix in ArtifactFormat.types.keys {
            try? FileManager.default.removeItem(at: folder.appending(path: "\(artifact.id).\(suffix)"))
        }
    }

    private func remove(_ url: URL, _ why: String) {
        logger.info("artifact removed: \(why)", metadata: ["bytes_name": "\(url.pathExtension)"])
        try? FileManager.default.removeItem(at: url)
    }

    /// The entry of a renamed file is only on the disk when its folder is.
    private func syncFolder() {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    // MARK: Fetching

    /// Where artifacts are fetched.
    public static let path = "/v1/artifacts/"

    /// The answer to a request for an artifact; nil when it is for something else. Whoever knows the name may have it.
    public nonisolated func response(to request: HTTPRequest) -> HTTPResponse? {
        guard request.path.hasPrefix(Self.path) else { return nil }
        let id = String(request.path.dropFirst(Self.path.count))
        guard Self.isName(id) else { return .text(404, "There is no such artifact.") }
        for (suffix, type) in ArtifactFormat.types {
            guard let file = HTTPFile(path: folder.appending(path: "\(id).\(suffix)").path), isYoung(file)
            else { continue }
            return HTTPResource(
                body: .file(file), contentType: type, tag: file.tag,
                // The bytes behind a name never change, but they may be removed.
                cacheControl: "private, max-age=86400, immutable",
                headers: [
                    .init("content-disposition", "inline; filename=\"\(id.prefix(8)).\(suffix)\""),
                    .init("x-content-type-options", "nosniff"),
                ]
            ).response(to: request)
        }
        return .text(404, "There is no such artifact: it may have been removed, for only so many are kept.")
    }

    private nonisolated func isYoung(_ file: HTTPFile) -> Bool {
        Double(file.modified) * 1e-9 >= Date().timeIntervalSince1970 - limits.age / .seconds(1)
    }

    private static func isName(_ text: String) -> Bool {
        text.count == nameLength && text.allSatisfy(alphabet.contains)
    }

    private static func isArtifact(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && isName(String(parts[0])) && ArtifactFormat.types[String(parts[1])] != nil
    }
}

/// A file that will be an artifact when it is complete.
public struct ArtifactDraft: Sendable {
    /// The artifact's name.
    public let id: String
    private let name: String
    private let folder: URL

    init(id: String, name: String, folder: URL) {
        (self.id, self.name, self.folder) = (id, name, folder)
    }

    /// Where it is written.
    public var temporary: URL { folder.appending(path: name + ArtifactStore.unfinished) }
    /// Where it will lie.
    var place: URL { folder.appending(path: name) }

    /// Removes what was written of it.
    public func discard() { try? FileManager.default.removeItem(at: temporary) }
}

/// The kinds of file that artifacts are.
public enum ArtifactFormat {
    /// MIME types by the end of a file's name.
    public static let types = ["flac": "audio/flac", "wav": "audio/wav", "opus": "audio/ogg", "png": "image/png"]
}

/// Why an artifact could not be kept.
public struct ArtifactError: Error, CustomStringConvertible {
    /// The file or folder.
    public var path: String
    /// Why.
    public var reason: String

    /// One line for a person.
    public var description: String { "the artifact \(path): \(reason)" }
}
