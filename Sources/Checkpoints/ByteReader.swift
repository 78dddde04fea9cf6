/// A cursor over bytes that came from outside: every read is checked against what is there.
struct ByteReader {
    let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], at position: Int = 0) {
        precondition((0...bytes.count).contains(position))
        self.bytes = bytes
        self.position = position
    }

    var remaining: Int { bytes.count - position }

    mutating func byte() throws(FormatFault) -> UInt8 {
        guard position < bytes.count else { throw truncated(1) }
        position += 1
        return bytes[position - 1]
    }

    /// A little-endian integer.
    mutating func little<Integer: FixedWidthInteger>(_: Integer.Type) throws(FormatFault) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard remaining >= size else { throw truncated(size) }
        let raw = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Integer.self) }
        position += size
        return Integer(littleEndian: raw)
    }

    /// A little-endian unsigned size, of which no file that exists can have more than `Int.max`.
    mutating func size<Integer: FixedWidthInteger & UnsignedInteger>(
        _ type: Integer.Type
    ) throws(FormatFault) -> Int {
        let claimed = try little(type)
        guard let size = Int(exactly: claimed) else { throw FormatFault("claims \(claimed) bytes") }
        return size
    }

    /// The next `count` bytes; a claim of more than there are is refused before anything is allocated.
    mutating func take(_ count: Int) throws(FormatFault) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw truncated(count) }
        position += count
        return bytes[(position - count)..<position]
    }

    /// The bytes up to the next line feed, which is passed over.
    mutating func line() throws(FormatFault) -> ArraySlice<UInt8> {
        guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw truncated(remaining + 1) }
        defer { position = end + 1 }
        return bytes[position..<end]
    }

    private func truncated(_ wanted: Int) -> FormatFault {
        FormatFault("ends too early: \(wanted) bytes wanted at byte \(position), where \(remaining) are left")
    }
}

extension String {
    /// Text out of a file, which must be UTF-8.
    static func checked(_ bytes: some Sequence<UInt8>) throws(FormatFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FormatFault("holds text that is not UTF-8")
        }
        return text
    }
}
