internal import COpus

/// Mono samples to Opus packets of one size. Samples come in pieces of any length; a packet leaves as soon as its frame
/// is full.
public final class OpusEncoder {
    /// How an encoder is set up.
    public struct Settings: Sendable, Equatable {
        /// What libopus optimises for.
        public enum Application: Sendable, Equatable {
            /// Speech that must be understood (SILK and hybrid modes).
            case voip
            /// Faithfulness to the input (music).
            case audio
            /// The shortest delay (CELT alone).
            case lowDelay
        }

        /// Samples a second of the input: 8, 12, 16, 24 or 48 kHz.
        public var sampleRate = 16_000
        /// What libopus optimises for.
        public var application = Application.voip
        /// The length of a packet at 48 kHz: 120, 240, 480, 960 (20 ms), 1920 or 2880.
        public var frame48k = 960
        /// Bits a second, 500 to 512,000.
        public var bitrate = 24_000
        /// Effort, 0 to 10.
        public var complexity = 9
        /// When not 0, each packet carries a coarse copy of the one before, sized for this share of lost packets.
        public var expectedLossPercent = 0

        /// The settings of a voice at 16 kHz in packets of 20 ms.
        public init() {}
    }

    /// How this encoder was set up.
    public let settings: Settings

    /// Samples in a frame, at the input's rate.
    public let frameSize: Int

    /// The encoder's delay in samples of the input: the decoded stream is the input, this much later.
    public let lookahead: Int

    /// The encoder's delay at 48 kHz: the pre-skip of RFC 7845.
    public var lookahead48k: Int { lookahead * (48_000 / settings.sampleRate) }

    /// Samples that wait for their frame to be full: less than `frameSize`.
    public var pendingSamples: Int { pending.count }

    private let encoder: OpaquePointer
    private var pending: [Float] = []
    private var consumed = 0
    private var packets = 0
    /// Three frames of 20 ms at 1275 bytes and their header are the most that a packet of 60 ms can take.
    private var output = [UInt8](repeating: 0, count: 4000)

    /// An encoder; settings that libopus does not know throw.
    public init(_ settings: Settings = Settings()) throws(OpusError) {
        let application =
            switch settings.application {
            case .voip: OPUS_APPLICATION_VOIP
            case .audio: OPUS_APPLICATION_AUDIO
            case .lowDelay: OPUS_APPLICATION_RESTRICTED_LOWDELAY
            }
        var code = OPUS_OK
        let rate = Int32(clamping: settings.sampleRate)
        guard [120, 240, 480, 960, 1920, 2880].contains(settings.frame48k),
            let encoder = opus_encoder_create(rate, 1, application, &code), code == OPUS_OK
        else {
            throw OpusError(operation: .createEncoder, code: code == OPUS_OK ? OPUS_BAD_ARG : code)
        }
        let loss = Int32(clamping: settings.expectedLossPercent)
        var lookahead: Int32 = 0
        let codes = [
            copus_encoder_set_bitrate(encoder, Int32(clamping: settings.bitrate)),
            copus_encoder_set_complexity(encoder, Int32(clamping: settings.complexity)),
            copus_encoder_set_inband_fec(encoder, loss > 0 ? 1 : 0, loss),
            copus_encoder_get_lookahead(encoder, &lookahead),
        ]
        if let code = codes.first(where: { $0 != OPUS_OK }) {
            opus_encoder_destroy(encoder)
            throw OpusError(operation: .createEncoder, code: code)
        }
        self.settings = settings
        self.encoder = encoder
        self.lookahead = Int(lookahead)
        frameSize = settings.frame48k / (48_000 / settings.sampleRate)
    }

    deinit { opus_encoder_destroy(encoder) }

    /// Takes the next samples, in [-1, 1], and returns the packets that they complete. A frame that holds a value that is
    /// not a number is encoded as silence, by libopus itself.
    public func encode(_ samples: some Collection<Float>) throws(OpusError) -> [OpusPacket] {
        pending += samples
        consumed += samples.count
        var done: [OpusPacket] = []
        var start = 0
        while pending.count - start >= frameSize {
            done.append(try encodeFrame(at: start))
            start += frameSize
        }
        pending.removeFirst(start)
        return done
    }

    /// Ends the stream: pads the last frame with silence, and goes on until the last sample has passed the encoder's
    /// delay, so that the decoded stream holds the whole input. No packet when nothing was encoded. The encoder is then
    /// as new, for the next stream.
    public func finish() throws(OpusError) -> [OpusPacket] {
        defer { reset() }
        guard consumed > 0 else { return [] }
        let total = (consumed + lookahead + frameSize - 1) / frameSize * frameSize
        return try encode(repeatElement(0, count: total - consumed))
    }

    /// Drops what waits and forgets everything: as new.
    public func reset() {
        precondition(copus_encoder_reset(encoder) == OPUS_OK, "libopus refused to reset an encoder of its own")
        pending.removeAll(keepingCapacity: true)
        consumed = 0
        packets = 0
    }

    private func encodeFrame(at start: Int) throws(OpusError) -> OpusPacket {
        let frame = Array(pending[start..<start + frameSize])
        let result = opus_encode_float(encoder, frame, Int32(frameSize), &output, Int32(output.count))
        let bytes = Array(output[..<(try OpusError.check(result, .encode))])
        let packet = OpusPacket(bytes: bytes, start48k: packets * settings.frame48k, duration48k: settings.frame48k)
        packets += 1
        return packet
    }
}
