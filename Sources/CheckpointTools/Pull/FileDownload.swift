import Checksums
import Foundation
import HTTP

/// One file on its way: under a temporary name until it is whole and its digest is right.
struct FileDownload {
    let file: HubListing.File
    let url: String
    let token: String?
    let target: URL
    let pause: Duration

    /// The temporary name holds the content's, so that a later version does not go on in an earlier one's bytes.
    private var partial: URL {
        let content = (file.lfs?.sha256 ?? file.blobId ?? "unknown").prefix(12)
        return target.deletingLastPathComponent().appending(path: ".\(target.lastPathComponent).\(content).partial")
    }

    /// Whether the file is there, with the digest that the hub tells.
    func isComplete(_ progress: (Int) throws -> Void) throws -> Bool {
        guard size(of: target) == file.byteCount else { return false }
        return try hasRightDigest(target, progress)
    }

    /// Fetches the file, from where an earlier run stopped.
    func run(_ progress: @escaping (Int) throws -> Void) throws {
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try requireSpace()
        let retry = Retry(pause: pause)
        var isSecondTry = false
        while true {
            try fetchAll(retry, progress)
            if try hasRightDigest(partial, { _ in try progress(file.byteCount) }) { break }
            try FileManager.default.removeItem(at: partial)
            guard !isSecondTry else {
                throw PullError(url, "came twice with another content than the hub tells (its digest is wrong)")
            }
            isSecondTry = true
        }
        guard rename(partial.path, target.path) == 0 else {
            throw PullError(target.path, "cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Fetches until all bytes are there; a lost connection goes on where it was.
    private func fetchAll(_ retry: Retry, _ progress: @escaping (Int) throws -> Void) throws {
        while size(of: partial) ?? -1 != file.byteCount {
            let before = size(of: partial) ?? 0
            do {
                try fetchPart(progress)
                guard let now = size(of: partial), now == file.byteCount else {
                    throw HTTPTransfer.Failure(reason: "the answer was too short", isTransient: true)
                }
            } catch let failure as HTTPTransfer.Failure {
                if size(of: partial) ?? 0 > before { retry.succeeded() }
                try retry.wait(after: failure, url) { try progress(size(of: partial) ?? 0) }
            }
        }
    }

    /// One request, from the end of what is there.
    private func fetchPart(_ progress: @escaping (Int) throws -> Void) throws {
        if size(of: partial) ?? 0 > file.byteCount { try FileManager.default.removeItem(at: partial) }
        if size(of: partial) == nil, !FileManager.default.createFile(atPath: partial.path, contents: nil) {
            throw PullError(partial.path, "cannot be written: \(String(cString: strerror(errno)))")
        }
        let handle = try FileHandle(forUpdating: partial)
        defer { try? handle.close() }
        var position = Int(try handle.seekToEnd())
        let offset = position
        let limit = file.byteCount
        let answer = try HTTPTransfer(url: url, token: token, offset: offset).run(
            answered: { answer in
                // Some servers send all of it whatever was asked for; others a part that nobody asked for.
                if answer.status == 200 { position = 0 }
                return answer.status == 200 || answer.status == 206 && answer.rangeStart == offset
            },
            body: { bytes in
                if position == 0, offset > 0 {
                    try handle.truncate(atOffset: 0)
                }
                guard position + bytes.count <= limit else {
                    throw PullError(url, "sends more than the \(limit) bytes that the hub tells")
                }
                try handle.write(contentsOf: bytes)
                position += bytes.count
                try progress(position)
            }, tick: { try progress(position) })
        switch answer.status {
        case 200: break
        case 206 where answer.rangeStart == offset: break
        case 206, 416:
            // What is there can't be gone on with: begin anew.
            try handle.truncate(atOffset: 0)
            throw HTTPTransfer.Failure(reason: "the server sent another part than was asked for", isTransient: true)
        case 429, 500...599:
            throw HTTPTransfer.Failure(reason: "the server answers with \(answer.status)", isTransient: true)
        default: throw PullError(status: answer.status, url, token != nil)
        }
        try handle.synchronize()
    }

    private func hasRightDigest(_ url: URL, _ progress: (Int) throws -> Void) throws -> Bool {
        if let lfs = file.lfs { return try SHA256.hex(ofFile: url, progress: progress) == lfs.sha256 }
        guard let blob = file.blobId else { return true }
        return try GitBlob.name(ofFile: url, progress: progress) == blob
    }

    private func requireSpace() throws {
        let folder = target.deletingLastPathComponent()
        let facts = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
        let needed = file.byteCount - (size(of: partial) ?? 0)
        if let free = facts?[.systemFreeSize] as? Int, free < needed {
            throw PullError(
                folder.path, "has room for \(Size.text(free)), and \(file.rfilename) needs \(Size.text(needed))")
        }
    }

    private func size(of url: URL) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: url.path))?[.size] as? Int
    }
}
