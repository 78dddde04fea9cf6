import CZlib
import Synchronization
import Tensors

/// One file inside a zip archive: the central directory's facts, checked against the archive.
struct ZipEntry: Sendable {
    let name: String
    let isDeflated: Bool
    /// The entry's bytes as they are in the archive.
    let range: Range<Int>
    /// Its size once unpacked.
    let byteCount: Int
    let checksum: UInt32

    /// The entry as a storage for tensors: stored entries in place, deflated ones unpacked when first used.
    func storage(in file: MappedFile) -> Storage {
        isDeflated ? .deflated(InflatedEntry(self, in: file)) : .mapped(file, range)
    }

    /// All of the entry's bytes, in memory.
    ///
    /// The checksum is looked at for deflated entries only: torch can be told to save without it
    /// (`torch.serialization.set_crc32_options`), and summing gigabytes of weights would undo mapping them.
    func read(from file: MappedFile) throws(FormatFault) -> [UInt8] {
        guard isDeflated else { return file.copy(range) }
        let unpacked = withExtendedLifetime(file) {
            inflate(UnsafeRawBufferPointer(rebasing: file.bytes[range]), to: byteCount)
        }
        guard let unpacked else { throw FormatFault("entry \(name.shortened) does not unpack to its stated size") }
        let sum = unpacked.withUnsafeBytes { bytes in
            crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
        }
        guard sum == UInt(checksum) else {
            throw FormatFault("entry \(name.shortened) is damaged: its checksum differs")
        }
        return unpacked
    }
}

/// A deflated entry, unpacked at most once and kept: many tensors may be views of it.
final class InflatedEntry: Sendable {
    private let entry: ZipEntry
    private let file: MappedFile
    private let unpacked = Mutex<[UInt8]?>(nil)

    init(_ entry: ZipEntry, in file: MappedFile) {
        self.entry = entry
        self.file = file
    }

    var byteCount: Int { entry.byteCount }

    func bytes() throws(FormatFault) -> [UInt8] {
        try unpacked.withLock { (kept) throws(FormatFault) -> [UInt8] in
            if let kept { return kept }
            let bytes = try entry.read(from: file)
            kept = bytes
            return bytes
        }
    }
}

/// Unpacks a bare deflate stream to exactly `size` bytes; nil when it holds more, fewer or is damaged. The caller has
/// checked that the archive justifies `size`.
private func inflate(_ packed: UnsafeRawBufferPointer, to size: Int) -> [UInt8]? {
    var isWhole = false
    // One byte more than stated, so that a stream that would go on is noticed.
    let unpacked = [UInt8](unsafeUninitializedCapacity: size + 1) { target, filled in
        var stream = z_stream()
        guard czlib_inflate_init_bare(&stream) == Z_OK else { return }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: packed.bindMemory(to: UInt8.self).baseAddress)
        stream.next_out = target.baseAddress
        var unread = packed.count
        var unwritten = size + 1
        // zlib counts in 32 bits.
        let step = 1 << 30
        var status = Z_OK
        while status == Z_OK {
            let input = min(unread, step)
            let output = min(unwritten, step)
            stream.avail_in = UInt32(input)
            stream.avail_out = UInt32(output)
            status = CZlib.inflate(&stream, Z_NO_FLUSH)
            unread -= input - Int(stream.avail_in)
            unwritten -= output - Int(stream.avail_out)
        }
        filled = size + 1 - unwritten
        isWhole = status == Z_STREAM_END && unread == 0 && filled == size
    }
    return isWhole ? unpacked : nil
}
