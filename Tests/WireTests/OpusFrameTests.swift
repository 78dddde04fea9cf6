import Testing

@testable import Wire

@Suite struct OpusFrameTests {
    @Test func theBytesAreThoseOfTheProtocol() throws {
        let frame = ServerAudioFrame(
            isFirst: true, isLast: false, outputIndex: 0x0102, sequence: 0x0304_0506, mediaTime: 0x0708_090A_0B0C_0D0E,
            packet: [0xAA, 0xBB])
        #expect(frame.bytes == [2, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xAA, 0xBB])
        #expect(ClientAudioFrame(packet: [9, 8]).bytes == [1, 9, 8])
    }

    @Test func framesSurviveTheWire() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        for _ in 0..<500 {
            let packet = generator.bytes(1...1275)
            let server = ServerAudioFrame(
                isFirst: .random(using: &generator), isLast: .random(using: &generator),
                outputIndex: .random(in: 0...UInt16.max, using: &generator),
                sequence: .random(in: 0...UInt32.max, using: &generator),
                mediaTime: .random(in: 0...UInt64.max, using: &generator), packet: packet)
            #expect(try ServerAudioFrame(parsing: server.bytes) == server, "seed \(seed)")
            let client = ClientAudioFrame(packet: packet)
            #expect(try ClientAudioFrame(parsing: client.bytes) == client, "seed \(seed)")
            // A slice has other indices than an array.
            #expect(try ServerAudioFrame(parsing: ([0, 0] + server.bytes)[2...]) == server, "seed \(seed)")
        }
    }

    @Test func everyTruncationIsRefused() {
        let bytes = ServerAudioFrame(
            isFirst: false, isLast: true, outputIndex: 1, sequence: 2, mediaTime: 3, packet: [4]
        ).bytes
        #expect(throws: OpusFrameError.empty) { try ServerAudioFrame(parsing: [UInt8]()) }
        for count in 1..<ServerAudioFrame.headerBytes {
            #expect(throws: OpusFrameError.truncated(bytes: count, expected: 16)) {
                try ServerAudioFrame(parsing: bytes.prefix(count))
            }
        }
        #expect(throws: OpusFrameError.noPacket) { try ServerAudioFrame(parsing: bytes.prefix(16)) }
        #expect(throws: OpusFrameError.empty) { try ClientAudioFrame(parsing: [UInt8]()) }
        #expect(throws: OpusFrameError.noPacket) { try ClientAudioFrame(parsing: [1]) }
    }

    @Test func whatIsNoFrameIsRefused() {
        #expect(throws: OpusFrameError.unknownKind(2)) { try ClientAudioFrame(parsing: [2, 0]) }
        #expect(throws: OpusFrameError.unknownKind(1)) { try ServerAudioFrame(parsing: [1, 0]) }
        let reserved: [UInt8] = [2, 4] + [UInt8](repeating: 0, count: 15)
        #expect(throws: OpusFrameError.reservedFlags(4)) { try ServerAudioFrame(parsing: reserved) }
        let long = [1] + [UInt8](repeating: 0, count: OpusSubprotocol.maxPacketBytes + 1)
        #expect(throws: OpusFrameError.packetTooLong(bytes: 61_201)) { try ClientAudioFrame(parsing: long) }
    }

    @Test func randomBytesNeverDoMoreThanFail() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        for _ in 0..<2000 {
            let bytes = generator.bytes(0...40)
            if let frame = try? ServerAudioFrame(parsing: bytes) { #expect(frame.bytes == bytes, "seed \(seed)") }
            if let frame = try? ClientAudioFrame(parsing: bytes) { #expect(frame.bytes == bytes, "seed \(seed)") }
        }
    }
}

/// A seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}
