/// The binary messages of the subprotocol `anygpt.opus.v1`. Each holds one Opus packet; all integers are big-endian.
public enum OpusSubprotocol {
    /// The name that a client offers in its opening handshake.
    public static let name = "anygpt.opus.v1"
    /// The longest packet that is taken: libopus itself makes at most 1275 bytes a frame, 48 frames a packet.
    public static let maxPacketBytes = 1275 * 48
}

/// Why a binary message is not a frame of the subprotocol.
public enum OpusFrameError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The message is empty.
    case empty
    /// The first byte names no known kind.
    case unknownKind(UInt8)
    /// The message ends within its header of `expected` bytes.
    case truncated(bytes: Int, expected: Int)
    /// A header without a packet.
    case noPacket
    /// A packet longer than an Opus packet can be.
    case packetTooLong(bytes: Int)
    /// Bits of the flags byte that have no meaning are set.
    case reservedFlags(UInt8)

    /// One line for an error event.
    public var description: String {
        switch self {
        case .empty: "the binary message is empty"
        case .unknownKind(let kind): "the binary message is of the unknown kind \(kind)"
        case .truncated(let bytes, let expected): "the binary message has \(bytes) bytes, its header alone \(expected)"
        case .noPacket: "the binary message holds no Opus packet"
        case .packetTooLong(let bytes):
            "the Opus packet has \(bytes) bytes, more than \(OpusSubprotocol.maxPacketBytes)"
        case .reservedFlags(let flags): "the flags byte \(flags) has bits without a meaning"
        }
    }
}

/// Client → server: `0x01`, then one Opus packet of any frame size, rate and channel count.
public struct ClientAudioFrame: Equatable, Sendable {
    /// The kind byte.
    public static let kind: UInt8 = 0x01

    /// One Opus packet (RFC 6716), at least one byte.
    public var packet: [UInt8]

    /// A frame of a packet, which is not empty.
    public init(packet: [UInt8]) {
        precondition(!packet.isEmpty, "an Opus packet has at least one byte")
        self.packet = packet
    }

    /// Reads a binary message.
    public init(parsing bytes: some RandomAccessCollection<UInt8>) throws(OpusFrameError) {
        guard let kind = bytes.first else { throw .empty }
        guard kind == Self.kind else { throw .unknownKind(kind) }
        packet = try Self.packet(bytes.dropFirst())
    }

    /// The message's bytes.
    public var bytes: [UInt8] { [Self.kind] + packet }

    fileprivate static func packet(_ bytes: some RandomAccessCollection<UInt8>) throws(OpusFrameError) -> [UInt8] {
        guard !bytes.isEmpty else { throw .noPacket }
        guard bytes.count <= OpusSubprotocol.maxPacketBytes else { throw .packetTooLong(bytes: bytes.count) }
        return Array(bytes)
    }
}

/// Server → client: `0x02`, flags, `u16` output index, `u32` sequence number, `u64` media time, then one Opus packet.
public struct ServerAudioFrame: Equatable, Sendable {
    /// The kind byte.
    public static let kind: UInt8 = 0x02
    /// The bytes before the packet.
    public static let headerBytes = 16

    /// The item's first packet (bit 0 of the flags).
    public var isFirst: Bool
    /// The item's last packet (bit 1 of the flags).
    public var isLast: Bool
    /// Which of the response's output items this belongs to.
    public var outputIndex: UInt16
    /// Counts the item's packets from 0.
    public var sequence: UInt32
    /// Where the packet begins, in samples of 48 kHz from the item's start.
    public var mediaTime: UInt64
    /// One Opus packet (RFC 6716), at least one byte.
    public var packet: [UInt8]

    /// A frame of its parts; the packet is not empty.
    public init(
        isFirst: Bool, isLast: Bool, outputIndex: UInt16, sequence: UInt32, mediaTime: UInt64, packet: [UInt8]
    ) {
        precondition(!packet.isEmpty, "an Opus packet has at least one byte")
        self.isFirst = isFirst
        self.isLast = isLast
        self.outputIndex = outputIndex
        self.sequence = sequence
        self.mediaTime = mediaTime
        self.packet = packet
    }

    /// Reads a binary message.
    public init(parsing bytes: some RandomAccessCollection<UInt8>) throws(OpusFrameError) {
        let header = try FrameHeader(of: bytes, kind: Self.kind, count: Self.headerBytes)
        (isFirst, isLast) = (header.isFirst, header.isLast)
        outputIndex = header.integer(2..<4)
        sequence = header.integer(4..<8)
        mediaTime = header.integer(8..<16)
        packet = try ClientAudioFrame.packet(bytes.dropFirst(Self.headerBytes))
    }

    /// The message's bytes.
    public var bytes: [UInt8] {
        [Self.kind, FrameHeader.flags(isFirst: isFirst, isLast: isLast)] + FrameHeader.bytes(of: outputIndex)
            + FrameHeader.bytes(of: sequence) + FrameHeader.bytes(of: mediaTime) + packet
    }
}
