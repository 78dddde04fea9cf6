import Audio
import Foundation
import TestSupport
import Testing

struct SampleFormatTests {
    @Test("All 65,536 values of 16 bits survive the way to Float and back")
    func pcm16IsExact() {
        for value in Int16.min...Int16.max {
            #expect(PCM16.int16(PCM16.float(value)) == value)
        }
    }

    @Test("What 16 bits cannot hold saturates, and what is not a number is silence")
    func saturation() {
        #expect(PCM16.int16(1) == 32_767)
        #expect(PCM16.int16(-1) == -32_768)
        #expect(PCM16.int16(.infinity) == 32_767)
        #expect(PCM16.int16(-.greatestFiniteMagnitude) == -32_768)
        #expect(PCM16.int16(.nan) == 0)
        #expect(PCM16.bytes([0.5, -1 / 32_768, 2]) == [0x00, 0x40, 0xFF, 0xFF, 0xFF, 0x7F])
    }

    @Test("Bytes may be cut inside a sample", arguments: UInt64(1)...5)
    func reader(seed: UInt64) {
        var generator = TestGenerator(seed: seed)
        let samples = noise(dBFS: -10, count: 3000, using: &generator)
        let bytes = PCM16.bytes(samples)
        var reader = PCM16Reader()
        var read: [Float] = []
        for piece in pieces(bytes, longest: 7, using: &generator) { read += reader.read(piece) }
        #expect(read == PCM16.samples(bytes))
        #expect(read.count == 3000 && !reader.endsInsideSample)
        #expect(reader.read([1]) == [])
        #expect(reader.endsInsideSample)
        #expect(PCM16.samples([0, 0x80, 7]) == [-1])
    }

    @Test("G.711 codes have the values of the standard")
    func g711Values() {
        let muLaw: [UInt8: Int16] = [
            0xFF: 0, 0x7F: 0, 0xFE: 8, 0x7E: -8, 0x80: 32_124, 0x00: -32_124, 0xF0: 120, 0xEF: 132, 0x9F: 8316,
        ]
        for (code, value) in muLaw { #expect(G711.muLaw.int16(code) == value, "µ-law \(code)") }
        let aLaw: [UInt8: Int16] = [
            0xD5: 8, 0x55: -8, 0xD4: 24, 0xAA: 32_256, 0x2A: -32_256, 0xC5: 264, 0xF5: 528, 0x80: 5504,
        ]
        for (code, value) in aLaw { #expect(G711.aLaw.int16(code) == value, "A-law \(code)") }
    }

    @Test("Every G.711 code survives the way to samples and back", arguments: G711.allCases)
    func g711Codes(law: G711) {
        for code in UInt8.min...UInt8.max {
            // µ-law has two zeros; the positive one is made.
            let expected = law == .muLaw && code == 0x7F ? 0xFF : code
            #expect(law.bytes(law.samples([code])) == [expected], "\(code)")
        }
    }

    @Test("The code made for a sample is one of the two around it, and rises with it", arguments: G711.allCases)
    func g711IsNear(law: G711) {
        let values = Set((UInt8.min...UInt8.max).map { Int(law.int16($0)) }).sorted()
        var wrong: [Int16] = []
        var (below, last) = (0, Int.min)
        for sample in Int16.min...Int16.max {
            while below < values.count - 2, values[below + 1] <= Int(sample) { below += 1 }
            let (low, high) = (values[below], values[below + 1])
            let made = Int(law.int16(law.byte(sample)))
            // At the start of a segment the border between two values is a third of the way, not half.
            let isNear = abs(made - Int(sample)) * 3 <= (high - low) * 2
            if made < last || (made != low && made != high) { wrong.append(sample) }
            if (values[0]...values[values.count - 1]).contains(Int(sample)), !isNear { wrong.append(sample) }
            last = made
        }
        #expect(wrong == [])
    }

    @Test("libsndfile reads the same values from G.711 files", arguments: G711.allCases)
    func g711AsLibsndfile(law: G711) throws {
        let codes = Array(UInt8.min...UInt8.max)
        let path = temporaryPath("g711.wav")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let header = WAVHeader(format: law == .muLaw ? 7 : 6, bits: 8, sampleRate: 8000, dataBytes: UInt32(codes.count))
        try Data(header.bytes + codes).write(to: URL(filePath: path))
        #expect(try AudioFile.read(path).interleaved == law.samples(codes))
    }

    @Test("Speech through G.711 is telephone speech", arguments: G711.allCases)
    func g711Quality(law: G711) throws {
        let speech = try question()
        #expect(signalToNoise(speech, law.samples(law.bytes(speech))) > 33)
    }
}

/// The 44 bytes before the samples of a WAV file, true or false.
struct WAVHeader {
    var format: UInt16 = 1
    var channels: UInt16 = 1
    var bits: UInt16 = 16
    var sampleRate: UInt32 = 16_000
    var dataBytes: UInt32

    var bytes: [UInt8] {
        let blockAlign = channels &* (bits / 8)
        return Array("RIFF".utf8) + little(dataBytes &+ 36) + Array("WAVEfmt ".utf8) + little(UInt32(16))
            + little(format)
            + little(channels) + little(sampleRate) + little(sampleRate &* UInt32(blockAlign)) + little(blockAlign)
            + little(bits) + Array("data".utf8) + little(dataBytes)
    }

    private func little<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
