import Audio
import Wire

/// The reply's sound on its way to a client: encoded, numbered, and held back so that what was sent is never more than
/// the lead ahead of what is heard.
struct AudioOutput {
    /// How sound leaves.
    enum Encoding {
        /// Opus packets in binary frames.
        case opus(bitrate: Int)
        /// Bytes of JSON events.
        case json(AudioFormat)
        /// Samples as they are.
        case samples
    }

    /// Something to be sent.
    enum Packet: Sendable, Equatable {
        /// A binary frame's content.
        case frame(ServerAudioFrame)
        /// A JSON event's content.
        case bytes([UInt8])
        /// Samples at the rate that they came in.
        case samples([Float])
    }

    /// Packets that were handed out to be sent.
    private(set) var sent = 0
    /// All sound of the reply so far, at 48 kHz.
    private(set) var total48k = 0

    private var pacer: PacketPacer<Packet>
    private let encoder: OpusEncoder?
    private let resampler: Resampler?
    private let format: AudioFormat
    private let sampleRate: Int
    private let outputIndex: UInt16
    private var sequence: UInt32 = 0
    /// The newest Opus packet, until it is known whether it is the last.
    private var held: OpusPacket?

    /// - Parameters:
    ///   - encoding: how sound leaves.
    ///   - sampleRate: of the samples that will come.
    ///   - lead: how far what is sent may be ahead.
    init(encoding: Encoding, sampleRate: Int, outputIndex: Int, lead: Duration) throws {
        // A reply is at most as long as the grammar lets it be; ten minutes hold any.
        pacer = PacketPacer(lead: lead, capacity48k: 600 * 48_000)
        self.outputIndex = UInt16(clamping: outputIndex)
        self.sampleRate = sampleRate
        switch encoding {
        case .opus(let bitrate):
            var settings = OpusEncoder.Settings()
            settings.sampleRate = sampleRate
            settings.bitrate = bitrate
            encoder = try OpusEncoder(settings)
            resampler = nil
            format = .pcm
        case .json(let format):
            encoder = nil
            self.format = format
            resampler = try Resampler(from: sampleRate, to: format.sampleRate)
        case .samples:
            encoder = nil
            resampler = nil
            format = .pcm
        }
    }

    /// Takes the next samples.
    mutating func play(_ samples: [Float]) throws {
        if let encoder {
            for packet in try encoder.encode(samples) { hold(packet) }
        } else if let resampler {
            queue(try resampler.process(samples), rate: format.sampleRate) { [format] in .bytes(format.bytes($0)) }
        } else {
            queue(samples, rate: sampleRate) { .samples(Array($0)) }
        }
    }

    /// The sound is complete.
    mutating func finish() throws {
        if let encoder {
            for packet in try encoder.finish() { hold(packet) }
            if let last = held { queue(last, isLast: true) }
            held = nil
        } else if let resampler {
            queue(try resampler.finish(), rate: format.sampleRate) { [format] in .bytes(format.bytes($0)) }
        }
    }

    private mutating func hold(_ packet: OpusPacket) {
        if let before = held { queue(before, isLast: false) }
        held = packet
    }

    private mutating func queue(_ packet: OpusPacket, isLast: Bool) {
        let frame = ServerAudioFrame(
            isFirst: sequence == 0, isLast: isLast, outputIndex: outputIndex, sequence: sequence,
            mediaTime: UInt64(max(0, packet.start48k)), packet: packet.bytes)
        sequence += 1
        offer(.frame(frame), packet.duration48k)
    }

    private mutating func queue(_ samples: [Float], rate: Int, as packet: (ArraySlice<Float>) -> Packet) {
        // A tenth of a second for each packet: small enough for the lead to mean something.
        let step = rate / 10
        for start in stride(from: 0, to: samples.count, by: step) {
            let piece = samples[start..<min(start + step, samples.count)]
            offer(packet(piece), piece.count * 48_000 / rate)
        }
    }

    private mutating func offer(_ packet: Packet, _ duration48k: Int) {
        // Beyond ten minutes of reply nothing is kept: the grammar ends a run long before.
        if pacer.offer(packet, start48k: total48k, duration48k: duration48k) { total48k += duration48k }
    }

    // MARK: Time

    /// What may be sent now.
    mutating func due(at now: Duration) -> [Packet] {
        let packets = pacer.due(at: now)
        sent += packets.count
        return packets
    }

    /// When `due` will give something next; nil when nothing waits.
    var nextDue: Duration? { pacer.nextDue() }

    /// What the listener has heard up to now, at 48 kHz, if everything arrived at once.
    func heard48k(at now: Duration) -> Int { pacer.heard48k(at: now) }

    /// Throws away what was not sent.
    mutating func stop() { pacer.clear() }
}
