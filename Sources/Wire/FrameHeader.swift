/// What binary messages with a flags byte begin with: their kind, the flags, big-endian integers.
struct FrameHeader {
    /// The first message of its kind for its item or file (bit 0 of the flags).
    let isFirst: Bool
    /// The last one (bit 1).
    let isLast: Bool
    private let bytes: [UInt8]

    /// Reads the first `count` bytes of a message, which must be of a kind.
    init(of message: some RandomAccessCollection<UInt8>, kind: UInt8, count: Int) throws(OpusFrameError) {
        guard let first = message.first else { throw .empty }
        guard first == kind else { throw .unknownKind(first) }
        guard message.count >= count else { throw .truncated(bytes: message.count, expected: count) }
        bytes = Array(message.prefix(count))
        guard bytes[1] & ~0b11 == 0 else { throw .reservedFlags(bytes[1]) }
        isFirst = bytes[1] & 0b01 != 0
        isLast = bytes[1] & 0b10 != 0
    }

    /// The integer in some of the header's bytes.
    func integer<Integer: FixedWidthInteger>(_ range: Range<Int>) -> Integer {
        bytes[range].reduce(0) { $0 << 8 | Integer($1) }
    }

    /// The flags byte.
    static func flags(isFirst: Bool, isLast: Bool) -> UInt8 { (isFirst ? 0b01 : 0) | (isLast ? 0b10 : 0) }

    /// An integer's bytes.
    static func bytes(of integer: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: integer.bigEndian) { Array($0) }
    }
}
