import Checksums
import Foundation
import Testing

/// Values of FIPS 180-4's examples.
@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func knownDigests(text: String, digest: String) {
        #expect(SHA256.hex(of: Data(text.utf8)) == digest)
    }

    @Test func aFileIsDigestedPieceByPiece() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "digest-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(repeating: UInt8(ascii: "a"), count: 3_000_000).write(to: url)
        var seen = 0
        let digest = try SHA256.hex(ofFile: url) { seen = $0 }
        #expect(seen == 3_000_000)
        #expect(digest == SHA256.hex(of: [UInt8](repeating: UInt8(ascii: "a"), count: 3_000_000)))
    }
}
