import Glibc

/// What an answer carries. It may be of any size: the service writes it in pieces, at the pace of the peer, and holds one
/// piece of it at a time.
public enum HTTPBody: Sendable, Equatable {
    /// Bytes in memory.
    case bytes(ArraySlice<UInt8>)
    /// These bytes of a file.
    case file(HTTPFile, Range<Int>)

    /// A whole file.
    public static func file(_ file: HTTPFile) -> HTTPBody { .file(file, 0..<file.count) }

    /// Its length in bytes.
    public var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let range): range.count
        }
    }

    /// A part of it; `range` counts from the body's own start, and lies inside it.
    public func part(_ range: Range<Int>) -> HTTPBody {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a part lies inside its body")
        switch self {
        case .bytes(let bytes):
            return .bytes(bytes[bytes.startIndex + range.lowerBound..<bytes.startIndex + range.upperBound])
        case .file(let file, let own):
            return .file(file, own.lowerBound + range.lowerBound..<own.lowerBound + range.upperBound)
        }
    }

    /// Copies the bytes from `position` on into `target`, which they fill; false when they can't be read.
    func copy(from position: Int, to target: UnsafeMutableRawBufferPointer) -> Bool {
        switch self {
        case .bytes(let bytes):
            bytes.withUnsafeBytes { target.copyMemory(from: .init(rebasing: $0[position..<position + target.count])) }
            return true
        case .file(let file, let range): return file.read(from: range.lowerBound + position, to: target)
        }
    }
}

/// A file that is open for reading, for as long as somebody holds it: one that is deleted or replaced meanwhile is still
/// sent as it was.
public final class HTTPFile: Sendable, Equatable {
    /// Its length in bytes when it was opened.
    public let count: Int
    /// When it was last changed, in nanoseconds since 1970.
    public let modified: Int64
    private let descriptor: Int32

    /// Opens a regular file, whoever it is that a symbolic link leads to. nil when there is none, or it may not be read.
    public init?(path: String) {
        // Without O_NONBLOCK the opening of a pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        self.descriptor = descriptor
        count = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    deinit { close(descriptor) }

    /// Two values are equal when they are the same open file.
    public static func == (left: HTTPFile, right: HTTPFile) -> Bool { left === right }

    /// A validator that changes when the file does: its length and its time of change.
    public var tag: String { String(count, radix: 16) + "-" + String(modified, radix: 16) }

    /// Reads the bytes from `position` on into `target`, which they fill; false when the file has become shorter or can't
    /// be read.
    func read(from position: Int, to target: UnsafeMutableRawBufferPointer) -> Bool {
        var done = 0
        while done < target.count {
            let count = pread(
                descriptor, target.baseAddress?.advanced(by: done), target.count - done, off_t(position + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
