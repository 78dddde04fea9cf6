import Tensors

/// The central directory of a zip archive, with 64-bit sizes; read from the file's end as the format wants.
/// Format: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
struct ZipDirectory {
    private(set) var entries: [String: ZipEntry] = [:]

    private struct Location {
        var count: Int
        var size: Int
        var offset: Int
    }

    init(_ file: MappedFile) throws(FormatFault) {
        let location = try Self.locate(in: file)
        guard location.offset <= file.count, location.size <= file.count - location.offset,
            location.count <= location.size / 46
        else { throw FormatFault("is not a whole zip archive: its directory lies outside the file") }

        var reader = ByteReader(file.copy(location.offset..<(location.offset + location.size)))
        var deflated = 0
        for _ in 0..<location.count {
            let entry = try Self.entry(&reader, in: file, before: location.offset)
            guard entries.updateValue(entry, forKey: entry.name) == nil else {
                throw FormatFault("holds two entries named \(entry.name.shortened)")
            }
            guard entry.isDeflated else { continue }
            let (sum, overflow) = deflated.addingReportingOverflow(entry.byteCount)
            guard !overflow, sum <= Limits.unpacked(from: file.count) else {
                throw FormatFault("would unpack to more than \(Limits.growth) times its size")
            }
            deflated = sum
        }
        guard reader.remaining == 0 else { throw FormatFault("has a zip directory with more in it than entries") }
        try refuseOverlaps()
    }

    /// Finds the directory: the end record, which an archive comment may follow, or its 64-bit successor.
    private static func locate(in file: MappedFile) throws(FormatFault) -> Location {
        let tailStart = max(0, file.count - 22 - 0xFFFF)
        let tail = file.copy(tailStart..<file.count)
        var found: Int?
        for start in stride(from: tail.count - 22, through: 0, by: -1) where tail[start] == 0x50 {
            guard tail[start...].starts(with: [0x50, 0x4B, 0x05, 0x06]) else { continue }
            guard start + 22 + Int(tail[start + 20]) + Int(tail[start + 21]) << 8 == tail.count else { continue }
            found = start
            break
        }
        guard let found else { throw FormatFault("is a zip archive without its end: was it cut off?") }

        var end = ByteReader(tail, at: found + 4)
        let disks = (try end.little(UInt16.self), try end.little(UInt16.self))
        let counts = (try end.little(UInt16.self), try end.little(UInt16.self))
        var location = Location(
            count: Int(counts.1), size: try end.size(UInt32.self), offset: try end.size(UInt32.self))

        if found >= 20, tail[(found - 20)...].starts(with: [0x50, 0x4B, 0x06, 0x07]) {
            var locator = ByteReader(tail, at: found - 20 + 8)
            let start = try locator.size(UInt64.self)
            guard start <= file.count - 56 else { throw FormatFault("points to a zip64 record outside the file") }
            var record = ByteReader(file.copy(start..<(start + 56)))
            guard try record.little(UInt32.self) == 0x0606_4B50 else {
                throw FormatFault("points to a zip64 record that is not one")
            }
            _ = try record.take(28)
            location = Location(
                count: try record.size(UInt64.self), size: try record.size(UInt64.self),
                offset: try record.size(UInt64.self))
        } else if disks != (0, 0) || counts.0 != counts.1 {
            throw FormatFault("is one part of a zip archive in several parts")
        }
        return location
    }

    /// One record of the directory, and where its local header says that the bytes begin.
    private static func entry(
        _ reader: inout ByteReader, in file: MappedFile, before end: Int
    ) throws(FormatFault) -> ZipEntry {
        guard try reader.little(UInt32.self) == 0x0201_4B50 else {
            throw FormatFault("has a damaged zip directory")
        }
        _ = try reader.take(4)
        let flags = try reader.little(UInt16.self)
        let method = try reader.little(UInt16.self)
        _ = try reader.take(4)
        let checksum = try reader.little(UInt32.self)
        var packed = try reader.size(UInt32.self)
        var unpacked = try reader.size(UInt32.self)
        let nameSize = try reader.size(UInt16.self)
        let extraSize = try reader.size(UInt16.self)
        let commentSize = try reader.size(UInt16.self)
        _ = try reader.take(8)
        var header = try reader.size(UInt32.self)
        let name = try String.checked(try reader.take(nameSize))
        var extra = ByteReader([UInt8](try reader.take(extraSize)))
        _ = try reader.take(commentSize)

        while extra.remaining >= 4 {
            let kind = try extra.little(UInt16.self)
            var field = ByteReader([UInt8](try extra.take(try extra.size(UInt16.self))))
            guard kind == 1 else { continue }
            if unpacked == 0xFFFF_FFFF { unpacked = try field.size(UInt64.self) }
            if packed == 0xFFFF_FFFF { packed = try field.size(UInt64.self) }
            if header == 0xFFFF_FFFF { header = try field.size(UInt64.self) }
        }
        let shown = name.shortened
        guard flags & 0x2041 == 0 else { throw FormatFault("entry \(shown) is encrypted") }
        guard method == 0 || method == 8 else {
            throw FormatFault("entry \(shown) is packed by method \(method); only deflate is read")
        }
        guard method == 8 || packed == unpacked else {
            throw FormatFault("entry \(shown) is stored, but its two sizes differ")
        }
        guard end >= 30, header <= end - 30 else { throw FormatFault("entry \(shown) lies outside the file") }
        var local = ByteReader(file.copy(header..<(header + 30)))
        guard try local.little(UInt32.self) == 0x0403_4B50 else {
            throw FormatFault("entry \(shown) has a damaged header")
        }
        _ = try local.take(22)
        let start = header + 30 + Int(try local.little(UInt16.self)) + Int(try local.little(UInt16.self))
        guard start <= end, packed <= end - start else { throw FormatFault("entry \(shown) lies outside the file") }
        return ZipEntry(
            name: name, isDeflated: method == 8, range: start..<(start + packed), byteCount: unpacked,
            checksum: checksum)
    }

    /// Entries that share bytes are how small archives unpack to huge ones.
    private func refuseOverlaps() throws(FormatFault) {
        let sorted = entries.values.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (one, next) in zip(sorted, sorted.dropFirst()) where one.range.upperBound > next.range.lowerBound {
            throw FormatFault("entries \(one.name.shortened) and \(next.name.shortened) share bytes")
        }
    }
}
