import Audio
import COpus
import TestSupport
import Testing

/// Packets that our own encoder does not make: stereo, long, lost, broken.
struct OpusPacketTests {
    @Test("A stereo packet is decoded to the mean of its channels")
    func stereo() throws {
        let left = tone(300, count: 16_000)
        let right = tone(700, amplitude: 0.25, count: 16_000)
        let mean = zip(left, right).map { ($0 + $1) / 2 }
        let packets = stereoPackets(left, right)
        let decoder = try OpusDecoder()
        let decoded = try packets.flatMap { try decoder.decode($0) }
        // The lookahead of an encoder at this rate and application.
        let lookahead = try OpusEncoder(.with(bitrate: 128_000)).lookahead
        #expect(signalToNoise(mean[3200..<15_000], decoded[(3200 + lookahead)...]) > 10)
    }

    @Test("A stream may change between mono and stereo, and its packet lengths, at any packet")
    func mixed() throws {
        let mono = tone(300, count: 16_000)
        let stereo = stereoPackets(mono, mono)
        let single = try OpusEncoder(.with(frame48k: 480)).encode(mono).map(\.bytes)
        let decoder = try OpusDecoder()
        for (two, one) in zip(stereo, single) {
            #expect(try decoder.decode(two).count == 320)
            #expect(try decoder.decode(one).count == 160)
        }
    }

    @Test("A packet of 120 ms is decoded whole; one that claims more is malformed")
    func longest() throws {
        let packets = try OpusEncoder().encode(question()).prefix(7).map(\.bytes)
        let expected = try OpusDecoder()
        let separate = try packets.prefix(6).flatMap { try expected.decode($0) }
        let long = try #require(merged(Array(packets.prefix(6))))
        let decoder = try OpusDecoder()
        #expect(try OpusPacket.duration48k(of: long) == 5760)
        #expect(decoder.longestPacket == 1920)
        #expect(try decoder.decode(long) == separate)
        #expect(merged(packets) == nil, "libopus itself would not make one of 140 ms")

        // Code 3 with 7 frames of 20 ms (SILK wideband): 140 ms.
        let claim: [UInt8] = [0b0100_1011, 7] + [UInt8](repeating: 0, count: 7)
        #expect(throws: OpusError(operation: .inspect, code: -4)) { try OpusPacket.duration48k(of: claim) }
        #expect(throws: OpusError(operation: .decode, code: -4)) { try decoder.decode(claim) }
    }

    @Test("An empty packet is malformed, and what follows is decoded as if it had not come")
    func empty() throws {
        let packets = try OpusEncoder().encode(question()).map(\.bytes)
        let decoder = try OpusDecoder()
        let other = try OpusDecoder()
        #expect(try decoder.decode(packets[0]) == other.decode(packets[0]))
        let error = #expect(throws: OpusError.self) { try decoder.decode([]) }
        #expect(error?.isMalformedPacket == true)
        #expect(error?.description == "Opus could not decode a packet: corrupted stream (-4)")
        #expect(throws: OpusError.self) { try OpusPacket.duration48k(of: []) }
        #expect(try decoder.decode(packets[1]) == other.decode(packets[1]))
    }

    @Test("Random bytes are decoded or refused, never more than 120 ms, and the decoder lives on", arguments: 0..<10)
    func garbage(tenth: UInt64) throws {
        let decoder = try OpusDecoder()
        let speech = try OpusEncoder().encode(question()).map(\.bytes)
        var refused = 0
        for seed in tenth * 1000..<(tenth + 1) * 1000 {
            var generator = TestGenerator(seed: seed)
            let packet = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            switch outcome(of: packet, decoder) {
            case .success(let decoded):
                #expect(decoded.count <= decoder.longestPacket && decoded.count % 40 == 0, "seed \(seed)")
                #expect(!decoded.contains { !$0.isFinite }, "seed \(seed)")
            case .failure(let error):
                #expect(error.isMalformedPacket, "seed \(seed): \(error)")
                refused += 1
            }
        }
        #expect(refused > 100 && refused < 1000)
        for packet in speech { #expect(try decoder.decode(packet).count == 320) }
    }

    @Test("Real packets with flipped bits or cut short are decoded or refused", arguments: UInt64(0)..<20)
    func damaged(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let decoder = try OpusDecoder()
        for packet in try OpusEncoder().encode(question()).map(\.bytes) {
            var damaged = packet
            damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                1 << UInt8.random(in: 0...7, using: &generator)
            if Bool.random(using: &generator) {
                damaged.removeLast(Int.random(in: 0..<damaged.count, using: &generator))
            }
            switch outcome(of: damaged, decoder) {
            case .success(let decoded): #expect(decoded.count <= decoder.longestPacket, "seed \(seed)")
            case .failure(let error): #expect(error.isMalformedPacket, "seed \(seed): \(error)")
            }
        }
    }

    @Test("A lost packet is concealed with sound of the same length; a long loss fades out")
    func concealment() throws {
        let packets = try OpusEncoder().encode(tone(300, count: 32_000)).map(\.bytes)
        let decoder = try OpusDecoder()
        #expect(try decoder.conceal().count == 320, "nothing came before: 20 ms")
        for packet in packets.prefix(20) { _ = try decoder.decode(packet) }
        let concealed = try decoder.conceal()
        #expect(concealed.count == 320)
        #expect(decibels(concealed) > -20)
        let long = try decoder.conceal(samples: 16_000)
        #expect(long.count == 16_000)
        #expect(decibels(long.suffix(4000)) < -40)
        for wrong in [0, -40, 41] {
            #expect(throws: OpusError(operation: .conceal, code: -1)) { try decoder.conceal(samples: wrong) }
        }
    }

    @Test("With forward error correction a lost packet comes back better than it is guessed")
    func recovery() throws {
        let speech = try question()
        let encoder = try OpusEncoder(.with(bitrate: 32_000, loss: 25))
        let packets = try encoder.encode(speech).map(\.bytes)
        let reference = try OpusDecoder()
        let whole = try packets.map { try reference.decode($0) }
        var truth: [Float] = []
        var guessed: [Float] = []
        var recovered: [Float] = []
        let (guessing, recovering) = (try OpusDecoder(), try OpusDecoder())
        for index in packets.indices.dropLast() {
            if index % 5 == 4 {
                truth += whole[index]
                guessed += try guessing.conceal()
                recovered += try recovering.recover(from: packets[index + 1])
            } else {
                _ = try guessing.decode(packets[index])
                _ = try recovering.decode(packets[index])
            }
        }
        #expect(recovered.count == truth.count)
        #expect(signalToNoise(truth, recovered) > signalToNoise(truth, guessed) + 3)
    }
}

private func outcome(of packet: [UInt8], _ decoder: OpusDecoder) -> Result<[Float], OpusError> {
    do throws(OpusError) {
        return .success(try decoder.decode(packet))
    } catch {
        return .failure(error)
    }
}

/// Stereo packets of 20 ms at 16 kHz.
private func stereoPackets(_ left: [Float], _ right: [Float]) -> [[UInt8]] {
    var code = OPUS_OK
    let encoder = opus_encoder_create(16_000, 2, OPUS_APPLICATION_VOIP, &code)
    defer { opus_encoder_destroy(encoder) }
    _ = encoder.map { copus_encoder_set_bitrate($0, 128_000) }
    return stride(from: 0, to: left.count - 319, by: 320).map { start in
        let frame = (start..<start + 320).flatMap { [left[$0], right[$0]] }
        var packet = [UInt8](repeating: 0, count: 4000)
        let count = encoder.map { opus_encode_float($0, frame, 320, &packet, 4000) } ?? 0
        return Array(packet.prefix(Int(count)))
    }
}

/// One packet that holds the frames of several; nil when libopus refuses.
private func merged(_ packets: [[UInt8]]) -> [UInt8]? {
    guard let repacketizer = opus_repacketizer_create() else { return nil }
    defer { opus_repacketizer_destroy(repacketizer) }
    // The repacketizer keeps pointers to its packets until it is done.
    let storage = packets.map { packet in
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: packet.count)
        _ = copy.initialize(from: packet)
        return copy
    }
    defer { storage.forEach { $0.deallocate() } }
    for packet in storage {
        guard let start = packet.baseAddress else { return nil }
        guard opus_repacketizer_cat(repacketizer, start, Int32(packet.count)) == OPUS_OK else { return nil }
    }
    var output = [UInt8](repeating: 0, count: 10_000)
    let count = opus_repacketizer_out(repacketizer, &output, 10_000)
    return count > 0 ? Array(output.prefix(Int(count))) : nil
}
