import Audio
import TestSupport
import Testing

struct OpusTests {
    @Test("Every packet length carries speech through at every rate", arguments: [120, 240, 480, 960, 1920, 2880])
    func everyFrameLength(frame48k: Int) throws {
        let speech = try question()
        for rate in [16_000, 24_000, 48_000] {
            let input = try Resampler.resample(speech, from: 16_000, to: rate)
            var settings = OpusEncoder.Settings.with(rate: rate, frame48k: frame48k, bitrate: 128_000)
            // For speech libopus takes the low frequencies away, and with them the phase.
            settings.application = .audio
            let encoder = try OpusEncoder(settings)
            let packets = try encoder.encode(input) + encoder.finish()
            #expect(packets.map(\.start48k) == packets.indices.map { $0 * frame48k })
            for packet in packets {
                #expect(try OpusPacket.duration48k(of: packet.bytes) == frame48k)
                #expect(packet.duration48k == frame48k)
            }
            let decoder = try OpusDecoder(sampleRate: rate)
            let decoded = try packets.flatMap { try decoder.decode($0.bytes) }
            #expect(decoded.count == packets.count * encoder.frameSize)
            #expect(decoded.count >= input.count + encoder.lookahead)
            #expect(decoded.count < input.count + encoder.lookahead + encoder.frameSize)
            let quality = signalToNoise(input, decoded[encoder.lookahead...])
            #expect(quality > 14, "\(quality) dB at \(rate) Hz")
        }
    }

    @Test("The decoded stream is the input, later by exactly the lookahead")
    func lookaheadIsTheDelay() throws {
        let input = try question()
        let encoder = try OpusEncoder(.with(bitrate: 64_000))
        let decoder = try OpusDecoder()
        let decoded = try (encoder.encode(input) + encoder.finish()).flatMap { try decoder.decode($0.bytes) }
        let best = (0..<400).max { left, right in
            signalToNoise(input, decoded[left...]) < signalToNoise(input, decoded[right...])
        }
        #expect(abs((best ?? -1) - encoder.lookahead) <= 1)
        #expect(encoder.lookahead48k == encoder.lookahead * 3)
    }

    @Test("The packets do not depend on how the input is cut", arguments: UInt64(1)...5)
    func cutAnywhere(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let input = try question()
        let whole = try OpusEncoder()
        let expected = try whole.encode(input) + whole.finish()
        let encoder = try OpusEncoder()
        var packets: [OpusPacket] = []
        for piece in pieces(input, longest: 1000, using: &generator) { packets += try encoder.encode(piece) }
        #expect(encoder.pendingSamples == input.count % encoder.frameSize)
        packets += try encoder.finish()
        #expect(packets == expected)
    }

    @Test("After finish and after reset an encoder and a decoder are as new")
    func resetIsFresh() throws {
        let input = try question()
        let encoder = try OpusEncoder()
        let first = try encoder.encode(input) + encoder.finish()
        #expect(try encoder.encode(input) + encoder.finish() == first)
        _ = try encoder.encode(input[..<1000])
        encoder.reset()
        #expect(try encoder.encode(input) + encoder.finish() == first)
        #expect(try encoder.finish().isEmpty)

        let decoder = try OpusDecoder()
        let decoded = try first.map { try decoder.decode($0.bytes) }
        decoder.reset()
        #expect(try first.map { try decoder.decode($0.bytes) } == decoded)
    }

    @Test("The bitrate asked for is kept, and speech of one second is small")
    func bitrate() throws {
        let input = try question()
        for bitrate in [12_000, 24_000, 64_000] {
            let encoder = try OpusEncoder(.with(bitrate: bitrate))
            let bits = try encoder.encode(input).reduce(0) { $0 + 8 * $1.bytes.count }
            let rate = Double(bits) * 16_000 / Double(input.count)
            #expect(rate > 0.6 * Double(bitrate) && rate < 1.3 * Double(bitrate), "\(rate) of \(bitrate) bits a second")
        }
    }

    @Test("A value that is not a number does no lasting harm")
    func notANumber() throws {
        var input = try question()
        input[5000] = .nan
        input[5001] = .infinity
        let encoder = try OpusEncoder()
        let decoder = try OpusDecoder()
        let decoded = try (encoder.encode(input) + encoder.finish()).flatMap { try decoder.decode($0.bytes) }
        #expect(!decoded.contains { !$0.isFinite })
        #expect(decibels(decoded[20_000...]) > -30)
    }

    @Test("Settings that libopus does not know are refused")
    func badSettings() {
        #expect(throws: OpusError.self) { try OpusDecoder(sampleRate: 44_100) }
        #expect(throws: OpusError.self) { try OpusDecoder(sampleRate: -1) }
        #expect(throws: OpusError.self) { try OpusEncoder(.with(rate: 44_100)) }
        #expect(throws: OpusError.self) { try OpusEncoder(.with(frame48k: 961)) }
        #expect(throws: OpusError.self) { try OpusEncoder(.with(bitrate: -5)) }
        #expect(throws: OpusError.self) { try OpusEncoder(.with(complexity: 11)) }
    }
}

extension OpusEncoder.Settings {
    /// The usual settings with some changed.
    static func with(
        rate: Int = 16_000, frame48k: Int = 960, bitrate: Int = 24_000, complexity: Int = 9, loss: Int = 0
    ) -> OpusEncoder.Settings {
        var settings = OpusEncoder.Settings()
        settings.sampleRate = rate
        settings.frame48k = frame48k
        settings.bitrate = bitrate
        settings.complexity = complexity
        settings.expectedLossPercent = loss
        return settings
    }
}
