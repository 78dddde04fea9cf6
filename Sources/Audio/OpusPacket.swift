internal import COpus

/// One Opus packet with its place in time. Opus counts time in samples at 48 kHz, whatever rate was encoded or will be
/// decoded (RFC 7845, section 4).
public struct OpusPacket: Sendable, Equatable {
    /// The packet as RFC 6716 defines it.
    public let bytes: [UInt8]

    /// Where the packet's first decoded sample stands, from the stream's first decoded sample, at 48 kHz. The first
    /// `OpusEncoder.lookahead48k` samples of a stream come before the audio that was given to the encoder.
    public let start48k: Int

    /// How much audio the packet decodes to, at 48 kHz.
    public let duration48k: Int

    /// A packet with its place in time.
    public init(bytes: [UInt8], start48k: Int, duration48k: Int) {
        self.bytes = bytes
        self.start48k = start48k
        self.duration48k = duration48k
    }

    /// How much audio a packet says that it holds, in samples at 48 kHz: 120 (2.5 ms) to 5760 (120 ms). Reads the header
    /// alone; throws when there is none or when it claims more than 120 ms.
    public static func duration48k(of packet: some Collection<UInt8>) throws(OpusError) -> Int {
        let result = withBytes(of: packet) { opus_packet_get_nb_samples($0, $1, 48_000) }
        return try OpusError.check(result, .inspect)
    }
}

/// Calls libopus with the packet's bytes where they lie. An empty packet is malformed: libopus would take it for a lost
/// one.
func withBytes(of packet: some Collection<UInt8>, _ body: (UnsafePointer<UInt8>, Int32) -> Int32) -> Int32 {
    func call(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return OPUS_INVALID_PACKET }
        return body(start, Int32(clamping: bytes.count))
    }
    return packet.withContiguousStorageIfAvailable(call) ?? Array(packet).withUnsafeBufferPointer(call)
}
