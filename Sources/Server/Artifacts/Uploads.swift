import Foundation
import Wire

/// Files that a client has sent, or is sending, in one session: on the disk, since they may be large, and gone with the
/// session.
struct Uploads: ~Copyable {
    /// Files that are held at a time.
    static let most = 4

    private struct File {
        let url: URL
        let handle: FileHandle
        var bytes = 0
        var isComplete = false
    }

    private let folder: URL
    private let largest: Int
    private var files: [UInt32: File] = [:]

    /// Uploads of at most `largest` bytes each. `folder` comes into being with the first.
    init(largest: Int) {
        self.largest = largest
        folder = FileManager.default.temporaryDirectory.appending(path: "anygptd-uploads-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Takes a piece. A file that grows too large, or that begins twice, is forgotten.
    mutating func take(_ frame: ClientUploadFrame) throws {
        if frame.isFirst { try begin(frame.number) }
        guard var file = files[frame.number], !file.isComplete else {
            throw WireError(.invalidFrame, "No file \(frame.number) is being sent: its first piece is missing.")
        }
        guard file.bytes + frame.bytes.count <= largest else {
            forget(frame.number)
            throw WireError(
                .messageTooLarge, "The file has more than the \(largest) bytes allowed: send a part of it.")
        }
        try file.handle.write(contentsOf: frame.bytes)
        file.bytes += frame.bytes.count
        if frame.isLast {
            try file.handle.close()
            file.isComplete = true
        }
        files[frame.number] = file
    }

    private mutating func begin(_ number: UInt32) throws {
        forget(number)
        guard files.count < Self.most else {
            throw WireError(.invalidFrame, "\(Self.most) files are held already: use them in items first.")
        }
        if files.isEmpty {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let url = folder.appending(path: "\(number)")
        try Data().write(to: url)
        files[number] = File(url: url, handle: try FileHandle(forWritingTo: url))
    }

    /// The path of a file that is complete.
    func path(_ number: UInt32) throws -> String {
        guard let file = files[number], file.isComplete else {
            throw WireError(
                .invalidValue, "No file \(number) was sent to its end in this session.", param: "item.content.upload")
        }
        return file.url.path
    }

    /// A file is not needed any more.
    mutating func forget(_ number: UInt32) {
        guard let file = files.removeValue(forKey: number) else { return }
        try? file.handle.close()
        try? FileManager.default.removeItem(at: file.url)
    }
}
