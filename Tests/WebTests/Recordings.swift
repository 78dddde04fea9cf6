import Audio
import Foundation
import TestSupport

/// What the fake microphone plays, and what the stub serves.
enum Recordings {
    /// A file below the temporary folder; gone after the body.
    static func with<Result>(_ name: String, _ body: (URL) async throws -> Result) async throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: "anygpt-\(UUID().uuidString)-\(name)")
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body(file)
    }

    /// The demo's question as often as there are pauses before it, in seconds, and a long silence.
    static func question(after pauses: [Double], to file: URL) throws {
        let path = Golden.tests.deletingLastPathComponent().appending(path: "Models/pocket/demo/question.wav").path
        let clip = try AudioFile.read(path)
        let samples = clip.mono()
        let writer = try AudioFileWriter(file.path, sampleRate: clip.sampleRate)
        for pause in pauses {
            try writer.write([Float](repeating: 0, count: Int(pause * Double(clip.sampleRate))))
            try writer.write(samples)
        }
        try writer.write([Float](repeating: 0, count: 120 * clip.sampleRate))
        try writer.close()
    }

    /// Two seconds of a chord as FLAC.
    static func music() async throws -> [UInt8] {
        try await with("chord.flac") { file in
            let writer = try AudioFileWriter(file.path, sampleRate: 32_000, format: .flac)
            try writer.write(
                (0..<64_000).map { index in
                    let time = Double(index) / 32_000
                    return Float([220.0, 277.2, 329.6].reduce(0) { $0 + 0.2 * sin(2 * .pi * $1 * time) })
                })
            try writer.close()
            return Array(try Data(contentsOf: file))
        }
    }

    /// A picture as PNG: a sky over a hill.
    static func picture(size: Int) -> [UInt8] {
        var rows: [UInt8] = []
        for y in 0..<size {
            rows.append(0)
            for x in 0..<size {
                let (u, v) = (Double(x) / Double(size), Double(y) / Double(size))
                let hill = 0.72 - 0.16 * sin(u * 3.4 + 0.4) - 0.02 * sin(u * 23)
                let sun = pow(max(0, 1 - hypot(u - 0.68, v - 0.34) * 2.1), 3)
                rows +=
                    v > hill
                    ? [UInt8(30 + 40 * v), UInt8(70 + 50 * (1 - v)), 62]
                    : [
                        UInt8(min(255, 90 + 120 * v + 150 * sun)), UInt8(min(255, 130 + 60 * v + 90 * sun)),
                        UInt8(190 - 70 * v),
                    ]
            }
        }
        return PNG.encode(width: size, height: size, rows: rows)
    }
}

/// PNG without compression, which is enough for a test.
private enum PNG {
    static func encode(width: Int, height: Int, rows: [UInt8]) -> [UInt8] {
        let header = bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0]
        var data: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: rows.count, by: 65_535) {
            let piece = rows[start..<min(start + 65_535, rows.count)]
            let length = UInt16(piece.count)
            data.append(start + piece.count == rows.count ? 1 : 0)
            for value in [length, ~length] { data += [UInt8(value & 0xFF), UInt8(value >> 8)] }
            data += piece
        }
        var (a, b) = (1, 0)
        for byte in rows { (a, b) = ((a + Int(byte)) % 65_521, (b + (a + Int(byte)) % 65_521) % 65_521) }
        data += bigEndian(b << 16 | a)
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + chunk("IDAT", data)
            + chunk("IEND", [])
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        return bigEndian(content.count) + body + bigEndian(checksum(body))
    }

    private static func checksum(_ bytes: [UInt8]) -> Int {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return Int(~crc)
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
