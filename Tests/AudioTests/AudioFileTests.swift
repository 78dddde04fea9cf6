import Audio
import Foundation
import TestSupport
import Testing

struct AudioFileTests {
    @Test(
        "What is written is read again: exact to 16 bits", arguments: [AudioFileWriter.Format.wav, .flac], [1, 2, 5])
    func roundTrip(format: AudioFileWriter.Format, channels: Int) throws {
        var generator = TestGenerator(seed: 7)
        let path = temporaryPath("round")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let samples = noise(dBFS: -3, count: 5000 * channels, using: &generator)
        let clip = AudioClip(sampleRate: 22_050, channels: channels, interleaved: samples)
        try AudioFile.write(clip, to: path, format: format)
        let read = try AudioFile.read(path)
        #expect(read.sampleRate == 22_050 && read.channels == channels && read.frames == 5000)
        #expect(read.interleaved == samples.map { PCM16.float(PCM16.int16($0)) })
        #expect(try read.mono(sampleRate: 16_000).count == (5000 * 16_000 + 22_049) / 22_050)
    }

    @Test("A file written in pieces is the file written at once", arguments: [AudioFileWriter.Format.wav, .flac])
    func pieceByPiece(format: AudioFileWriter.Format) throws {
        let samples = try question()
        let path = temporaryPath("pieces")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try AudioFileWriter(path, sampleRate: 16_000, format: format)
        for start in stride(from: 0, to: samples.count, by: 777) {
            try writer.write(samples[start..<min(start + 777, samples.count)])
        }
        try writer.close()
        try writer.close()
        #expect(throws: AudioFileError.self) { try writer.write([0]) }
        #expect(try AudioFile.read(path).interleaved == samples)
    }

    @Test("Of three hours only the seconds that are wanted are read") func threeHours() throws {
        // 16-bit stereo at 44.1 kHz: 1.9 GB, of which the disk holds the header.
        let bytes = UInt32(3 * 3600 * 44_100 * 4)
        func le(_ value: UInt32, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let header =
            Array("RIFF".utf8) + le(36 + bytes, 4) + Array("WAVEfmt ".utf8) + le(16, 4) + le(1, 2) + le(2, 2)
            + le(44_100, 4) + le(176_400, 4) + le(4, 2) + le(16, 2) + Array("data".utf8) + le(bytes, 4)
        let path = temporaryPath("hours")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(header).write(to: URL(filePath: path))
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.truncate(atOffset: UInt64(header.count) + UInt64(bytes))
        try file.close()
        let start = ContinuousClock.now
        let samples = try MusicFile.read(path, sampleRate: 32_000, seconds: 5)
        #expect(samples.count == 160_000)
        #expect(ContinuousClock.now - start < .seconds(5), "seconds are enough for a crowded machine; minutes are not")
        #expect(throws: AudioFileError.self) { try AudioFile.read(path) }
    }

    @Test("Channels that are mixed while they are read are those that are mixed afterwards", arguments: [1, 3, 8])
    func mixedReading(channels: Int) throws {
        var generator = TestGenerator(seed: 8)
        let path = temporaryPath("mixed")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let samples = noise(dBFS: -3, count: 5000 * channels, using: &generator)
        try AudioFile.write(AudioClip(sampleRate: 8000, channels: channels, interleaved: samples), to: path)
        let mixed = try AudioFile.read(path, first: 0.6, mixed: true)
        let afterwards = try AudioFile.read(path, first: 0.6).mono()
        #expect(mixed.channels == 1 && mixed.interleaved == afterwards)
    }

    @Test("Channels are mixed to their mean")
    func mixing() {
        let clip = AudioClip(sampleRate: 8000, channels: 2, interleaved: [1, 0, 0.5, -0.5, 0.25, 0.75])
        #expect(clip.mono() == [0.5, 0, 0.5])
        #expect(clip.frames == 3)
        #expect(clip.seconds == 3.0 / 8000)
    }

    @Test(
        "A header that claims more than the file has is not believed", arguments: [0xFFFF_FFFF, 0x7FFF_FFF0, 4_000_000])
    func falseClaim(bytes: UInt32) throws {
        let path = temporaryPath("claim.wav")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(WAVHeader(dataBytes: bytes).bytes + [0, 0x40, 0, 0xC0]).write(to: URL(filePath: path))
        #expect(try AudioFile.read(path).interleaved == [0.5, -0.5])
    }

    @Test("Files beyond the limits are refused, with the reason")
    func limits() throws {
        let path = temporaryPath("limits.wav")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AudioFile.write(
            AudioClip(sampleRate: 16_000, channels: 2, interleaved: [Float](repeating: 0, count: 64_000)), to: path)
        func reason(_ change: (inout AudioFile.Limits) -> Void) -> String? {
            var limits = AudioFile.Limits()
            change(&limits)
            return #expect(throws: AudioFileError.self) { try AudioFile.read(path, limits: limits) }?.reason
        }
        #expect(reason { $0.seconds = 1.9 }?.contains("longer than the 1.9 s") == true)
        #expect(reason { $0.bytes = 1000 } == "128044 bytes are more than the 1000 allowed")
        #expect(reason { $0.bytes = 200_000 }?.contains("longer than") == true)
        #expect(reason { $0.channels = 1 } == "2 channels; 1 to 1 are allowed")
        #expect(reason { $0.sampleRate = 8000 } == "16000 frames a second; 1 to 8000 are allowed")
        var exact = AudioFile.Limits()
        exact.seconds = 2
        #expect(try AudioFile.read(path, limits: exact).seconds == 2)
    }

    @Test("What is no audio file is refused with its path")
    func notAudio() throws {
        let path = temporaryPath("not.wav")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let contents = [[], Array("RIFF".utf8), Array("hello, world".utf8), [UInt8](repeating: 0, count: 4096)]
        for content in contents {
            try Data(content).write(to: URL(filePath: path))
            let error = #expect(throws: AudioFileError.self) { try AudioFile.read(path) }
            #expect(error?.description.hasPrefix("cannot read \(path): ") == true)
        }
        let folder = FileManager.default.temporaryDirectory.path()
        #expect(throws: AudioFileError(operation: .read, path: folder, reason: "not a regular file")) {
            try AudioFile.read(folder)
        }
        #expect(throws: AudioFileError(operation: .read, path: "/no/such", reason: "No such file or directory")) {
            try AudioFile.read("/no/such")
        }
        #expect(throws: AudioFileError.self) { try AudioFileWriter("/no/such/folder/a.wav", sampleRate: 16_000) }
    }

    @Test("Numbers that are none are refused")
    func notANumber() throws {
        let path = temporaryPath("nan.wav")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let values: [Float] = [0.5, .nan, 0.25]
        let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        try Data(WAVHeader(format: 3, bits: 32, dataBytes: 12).bytes + bytes).write(to: URL(filePath: path))
        let error = #expect(throws: AudioFileError.self) { try AudioFile.read(path) }
        #expect(error?.reason == "it holds a sample that is not a number")
    }

    @Test("Reading never closes a descriptor that is somebody else's")
    func descriptors() async throws {
        let path = temporaryPath("descriptors.wav")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(WAVHeader(format: 99, dataBytes: 4).bytes + [1, 2, 3, 4]).write(to: URL(filePath: path))
        let sound = Golden.file("chain", "question.wav").path()
        // Closed twice, a descriptor's number may by then be that of a file that another thread has opened.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        if task % 2 == 0 {
                            #expect(throws: AudioFileError.self) { try AudioFile.read(path) }
                        } else {
                            let clip = try AudioFile.read(sound)
                            #expect(clip.sampleRate == 16_000)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("Damaged files are read or refused, and never crash", arguments: UInt64(0)..<200)
    func damaged(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let path = temporaryPath("damaged")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let format = [AudioFileWriter.Format.wav, .flac][Int(seed % 2)]
        let samples = try Array(question().prefix(4000))
        try AudioFile.write(AudioClip(sampleRate: 16_000, interleaved: samples), to: path, format: format)
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            // Mostly the header, where the claims are.
            let reach = Bool.random(using: &generator) ? min(64, bytes.count) : bytes.count
            bytes[Int.random(in: 0..<reach, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
        try Data(bytes).write(to: URL(filePath: path))
        var limits = AudioFile.Limits()
        limits.bytes = 1 << 20
        do throws(AudioFileError) {
            let clip = try AudioFile.read(path, limits: limits)
            #expect(clip.interleaved.count * 4 <= limits.bytes, "seed \(seed)")
        } catch {
            #expect(!error.reason.isEmpty, "seed \(seed)")
        }
    }
}
