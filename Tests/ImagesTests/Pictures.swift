import Foundation
import Images
import TestSupport

/// The small pictures beside these tests; see `make_pictures.py` there.
enum Pictures {
    static let folder = Golden.tests.appending(path: "ImagesTests/Pictures")

    /// The files that have an expectation, and the pixels that Pillow reads out of each.
    static let expected: [String: RGBImage] = {
        let entries = try? JSONSerialization.jsonObject(
            with: Data(contentsOf: folder.appending(path: "expected.json")))
        return (entries as? [String: [Any]] ?? [:]).compactMapValues { entry in
            guard entry.count == 3, let width = entry[0] as? Int, let height = entry[1] as? Int,
                let bytes = (entry[2] as? String).flatMap({ Data(base64Encoded: $0) })
            else { return nil }
            return RGBImage(width: width, height: height, bytes: [UInt8](bytes))
        }
    }()

    static var names: [String] { expected.keys.sorted() }

    static func bytes(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: folder.appending(path: name)))
    }
}

/// A PNG file by hand.
enum PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func bigEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    static func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(kind.utf8) + data
        return bigEndian(data.count) + body + bigEndian(Int(crc32(body)))
    }

    /// A file that claims to have so many pixels, and has none.
    static func claiming(_ width: Int, _ height: Int) -> [UInt8] {
        signature + chunk("IHDR", bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0])
            + chunk("IDAT", [0x78, 0x9C, 3, 0, 0, 0, 0, 1]) + chunk("IEND", [])
    }

    /// The chunks of a file: names and contents.
    static func chunks(_ file: [UInt8]) -> [(kind: String, data: [UInt8])] {
        var chunks: [(String, [UInt8])] = []
        var place = signature.count
        while place + 12 <= file.count {
            let count = file[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            let kind = String(decoding: file[(place + 4)..<(place + 8)], as: UTF8.self)
            chunks.append((kind, Array(file[(place + 8)..<(place + 8 + count)])))
            place += 12 + count
        }
        return chunks
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }
}
