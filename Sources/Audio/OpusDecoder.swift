internal import COpus

/// Opus packets of any kind to mono samples at one rate. A packet may hold 2.5 to 120 ms, mono or stereo (mixed down), of
/// any bandwidth, and may differ in all of this from the one before (RFC 6716).
///
/// What a packet merely claims is never allocated: the output has room for the 120 ms that a packet may hold at most.
public final class OpusDecoder {
    /// Samples a second of what is decoded.
    public let sampleRate: Int

    private let decoder: OpaquePointer
    private var output: [Float]

    /// The largest amount that one packet can hold, 120 ms, in samples of this decoder.
    public var longestPacket: Int { output.count }

    /// A decoder at 8, 12, 16, 24 or 48 kHz; other rates throw.
    public init(sampleRate: Int = 16_000) throws(OpusError) {
        var code = OPUS_OK
        guard let decoder = opus_decoder_create(Int32(clamping: sampleRate), 1, &code), code == OPUS_OK else {
            throw OpusError(operation: .createDecoder, code: code)
        }
        self.sampleRate = sampleRate
        self.decoder = decoder
        output = [Float](repeating: 0, count: sampleRate * 120 / 1000)
    }

    deinit { opus_decoder_destroy(decoder) }

    /// Decodes the next packet. Throws when it is malformed (`isMalformedPacket`; an empty packet is, too): then nothing
    /// was decoded, and the caller may `conceal` it as if it had been lost.
    public func decode(_ packet: some Collection<UInt8>) throws(OpusError) -> [Float] {
        let count = withBytes(of: packet) { opus_decode_float(decoder, $0, $1, &output, Int32(output.count), 0) }
        return try Array(output[..<OpusError.check(count, .decode)])
    }

    /// Audio in place of a packet that was lost, guessed from what came before. `samples` is its length: a multiple of
    /// 2.5 ms, by default as long as the packet before (20 ms when there was none).
    public func conceal(samples: Int? = nil) throws(OpusError) -> [Float] {
        var missing = samples ?? lastPacketDuration
        guard missing > 0, missing % (sampleRate / 400) == 0 else {
            throw OpusError(operation: .conceal, code: OPUS_BAD_ARG)
        }
        var concealed: [Float] = []
        while missing > 0 {
            let piece = min(missing, output.count)
            let count = try OpusError.check(opus_decode_float(decoder, nil, 0, &output, Int32(piece), 0), .conceal)
            concealed += output[..<count]
            missing -= count
        }
        return concealed
    }

    /// Audio in place of a lost packet, from the copy that the packet after it carries (forward error correction); where
    /// it carries none, the same as `conceal`. Of a longer gap, up to 120 ms, the copy fills the end. Call it before
    /// `next` itself is decoded.
    public func recover(
        samples: Int? = nil, from next: some Collection<UInt8>
    ) throws(OpusError) -> [Float] {
        let missing = samples ?? lastPacketDuration
        guard missing > 0, missing <= output.count, missing % (sampleRate / 400) == 0 else {
            throw OpusError(operation: .conceal, code: OPUS_BAD_ARG)
        }
        let count = withBytes(of: next) { opus_decode_float(decoder, $0, $1, &output, Int32(missing), 1) }
        return try Array(output[..<OpusError.check(count, .conceal)])
    }

    /// Forgets everything: what follows is decoded as by a new decoder.
    public func reset() {
        precondition(copus_decoder_reset(decoder) == OPUS_OK, "libopus refused to reset a decoder of its own")
    }

    private var lastPacketDuration: Int {
        var samples: Int32 = 0
        guard copus_decoder_get_last_packet_duration(decoder, &samples) == OPUS_OK, samples > 0 else {
            return sampleRate / 50
        }
        return Int(samples)
    }
}
