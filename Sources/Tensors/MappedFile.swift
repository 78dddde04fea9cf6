#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Why a file could not be mapped.
public struct FileError: Error, CustomStringConvertible {
    /// What was tried: "open", "map" …
    public let operation: String
    /// The file's path.
    public let path: String
    /// The system's reason.
    public let reason: String

    /// One line for a person.
    public var description: String { "cannot \(operation) \(path): \(reason)" }

    /// The error that `errno` tells of.
    static func last(_ operation: String, _ path: String) -> FileError {
        FileError(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}

/// A file mapped read-only into memory: opened in microseconds whatever its size, its pages shared between processes.
///
/// Invariant (of the unchecked conformance): the mapping is read-only and stays in place until deinit.
public final class MappedFile: @unchecked Sendable {
    /// The file's path as it was given.
    public let path: String
    /// The file's size in bytes when it was mapped.
    public let count: Int
    let base: UnsafeRawPointer

    /// Maps the whole file. An empty file is allowed.
    public init(path: String) throws(FileError) {
        // Without waiting: to open a pipe that nobody writes to would take for ever. Regular files never wait.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .last("read the size of", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(operation: "map", path: path, reason: "not a regular file")
        }
        self.path = path
        count = Int(status.st_size)
        if count == 0 {
            base = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 64))
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw .last("map", path)
        }
        base = UnsafeRawPointer(mapped)
    }

    deinit {
        if count == 0 { base.deallocate() } else { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// The file's bytes; valid as long as this object lives.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
