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
        let header = try FrameHeader(of: message, kind: Self.kind, count: Self.headerBytes)
        (isFirst, isLast) = (header.isFirst, header.isLast)
        number = header.integer(2..<6)
        bytes = Array(message.dropFirst(Self.headerBytes))
    }

    /// The message's bytes.
    public var encoded: [UInt8] {
        [Self.kind, FrameHeader.flags(isFirst: isFirst, isLast: isLast)] + FrameHeader.bytes(of: number) + bytes
    }
}
