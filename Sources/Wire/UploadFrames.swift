/// Client → server in the subprotocol `anygpt.opus.v1`: a piece of a file. `0x03`, flags, `u32` the file's number, then
/// the piece. The client chooses the number, and names the file by it in an item's content.
public struct ClientUploadFrame: Equatable, Sendable {
    /// The kind byte.
    public static let kind: UInt8 = 0x03
    /// The bytes before the piece.
    public static let headerBytes = 6

    /// The file's first piece (bit 0 of the flags).
    public var isFirst: Bool
    /// The file's last piece (bit 1 of the flags).
    public var isLast: Bool
    /// The file's number.
    public var number: UInt32
    /// The piece; may be empty.
    public var bytes: [UInt8]

    /// A frame of its parts.
    public init(isFirst: Bool, isLast: Bool, number: UInt32, bytes: [UInt8]) {
        self.isFirst = isFirst
        self.isLast = isLast
        self.number = number
        self.bytes = bytes
    }

    /// Reads a binary message.
    public init(parsing message: some RandomAccessCollection<UInt8>) throws(OpusFrameError) {
        guard let kind = message.first else { throw .empty }
        guard kind == Self.kind else { throw .unknownKind(kind) }
        guard message.count >= Self.headerBytes else {
            throw .truncated(bytes: message.count, expected: Self.headerBytes)
        }
        let header = Array(message.prefix(Self.headerBytes))
        guard header[1] & ~0b11 == 0 else { throw .reservedFlags(header[1]) }
        isFirst = header[1] & 0b01 != 0
        isLast = header[1] & 0b10 != 0
        number = header[2...].reduce(0) { $0 << 8 | UInt32($1) }
        bytes = Array(message.dropFirst(Self.headerBytes))
    }

    /// The message's bytes.
    public var encoded: [UInt8] {
        let flags: UInt8 = (isFirst ? 0b01 : 0) | (isLast ? 0b10 : 0)
        return [Self.kind, flags] + withUnsafeBytes(of: number.bigEndian) { Array($0) } + bytes
    }
}
