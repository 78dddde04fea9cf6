import Foundation
import Images
import TestSupport
import Testing

@Suite("Reading pictures")
struct DecodingTests {
    @Test("The pixels are those that Pillow reads", arguments: Pictures.names)
    func pixels(name: String) throws {
        let expected = try #require(Pictures.expected[name])
        let image = try ImageFile.decode(Pictures.bytes(name))
        #expect((image.width, image.height) == (expected.width, expected.height))
        let farthest = zip(image.bytes, expected.bytes).map { abs(Int($0) - Int($1)) }.max()
        #expect(farthest == 0)
    }

    @Test("There are pictures of every format")
    func formats() throws {
        let formats = try Pictures.names.map { try ImageFile.info(Pictures.bytes($0)).format }
        #expect(Set(formats) == Set(ImageFormat.allCases) && formats.count > 30)
    }

    @Test("The header tells the size", arguments: Pictures.names)
    func header(name: String) throws {
        let expected = try #require(Pictures.expected[name])
        let info = try ImageFile.info(Pictures.bytes(name))
        #expect((info.width, info.height) == (expected.width, expected.height))
    }

    @Test("A file beyond a limit is refused by its header")
    func limits() throws {
        var limits = ImageLimits()
        limits.pixels = 23 * 17 - 1
        for name in Pictures.names {
            let bytes = try Pictures.bytes(name)
            #expect(throws: ImageFileError.tooLarge("it is 23 × 17, and it may have 390 pixels")) {
                try ImageDecoder(bytes, limits: limits)
            }
        }
        limits = ImageLimits()
        limits.side = 22
        let file = try Pictures.bytes("rgb8.png")
        #expect(throws: ImageFileError.tooLarge("it is 23 × 17, and a side may have 22 pixels")) {
            try ImageDecoder(file, limits: limits)
        }
        limits.bytes = file.count - 1
        #expect(throws: ImageFileError.self) { try ImageDecoder(file, limits: limits) }
    }

    @Test(
        "A bomb is refused, whatever it claims",
        arguments: [(1, 30_000), (30_000, 1), (16_384, 16_384), (0x7FFF_FFFF, 0x7FFF_FFFF)])
    func bombs(width: Int, height: Int) throws {
        let error = #expect(throws: ImageFileError.self) { try ImageFile.info(PNG.claiming(width, height)) }
        guard case .tooLarge(let reason) = try #require(error) else { return #expect(Bool(false), "\(error!)") }
        #expect(reason.hasPrefix("it is \(width) × \(height)"))
    }

    @Test("A picture without pixels is refused", arguments: [(0, 0), (0, 5), (5, 0)])
    func empty(width: Int, height: Int) {
        #expect(throws: ImageFileError.corrupt(.png, "it has no pixels")) {
            try ImageFile.info(PNG.claiming(width, height))
        }
    }

    @Test(
        "What is no picture that is read is refused by its name",
        arguments: [
            ("GIF89a\u{1}\0\u{1}\0", "a GIF is not read; save the picture as PNG, JPEG or WebP and send that"),
            ("BM6\u{0}", "a BMP is not read; save the picture as PNG, JPEG or WebP and send that"),
            ("\0\0\0\u{18}ftypheic", "a HEIC is not read; save the picture as PNG, JPEG or WebP and send that"),
            ("\0\0\0\u{18}ftypavif", "an AVIF is not read; save the picture as PNG, JPEG or WebP and send that"),
            ("<svg/>", "an SVG is not read; save the picture as PNG, JPEG or WebP and send that"),
            ("", "this is no picture: the file is empty; send a PNG, JPEG or WebP file"),
            (
                "Hello", "this is no picture: its first bytes are those of no picture; send a PNG, JPEG or WebP file"
            ),
        ])
    func others(content: String, reason: String) {
        let error = #expect(throws: ImageFileError.self) { try ImageFile.decode(Array(content.utf8)) }
        #expect(error?.description == reason)
    }

    /// What follows the pixels (checksums, padding, other pictures of an animation) may be missing: some decoders don't
    /// look at it. Whatever is decoded must then be the whole picture.
    @Test("Cut short, a file is refused or gives the same picture", arguments: Pictures.names)
    func truncation(name: String) throws {
        let bytes = try Pictures.bytes(name)
        let expected = Pictures.expected[name]
        var refused = 0
        for count in bytes.indices {
            do throws(ImageFileError) {
                let image = try ImageFile.decode(Array(bytes[..<count]))
                #expect(image == expected, "cut at \(count)")
            } catch {
                #expect(!error.description.contains("\n"))
                refused += 1
            }
        }
        #expect(refused >= bytes.count - 90, "\(bytes.count - refused) of \(bytes.count) were read")
        let half = Array(bytes[..<(bytes.count * 3 / 5)])
        let format = try ImageFile.info(bytes).format
        #expect(throws: ImageFileError.truncated(format)) { try ImageFile.decode(half) }
    }

    @Test("With bytes changed anywhere, a file is read or refused", arguments: Pictures.names, [1, 2] as [UInt64])
    func damage(name: String, seed: UInt64) throws {
        let original = try Pictures.bytes(name)
        var limits = ImageLimits()
        limits.pixels = 1 << 20
        var generator = TestGenerator(seed: seed)
        for _ in 0..<300 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            do throws(ImageFileError) {
                let image = try ImageFile.decode(bytes, limits: limits)
                #expect(image.bytes.count == image.width * image.height * 3)
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }

    @Test("A picture of many scans takes many steps, a large one too")
    func steps() throws {
        let noise = RGBImage.noise(width: 1500, height: 1100, seed: 4)
        let decoder = try ImageDecoder(noise.png())
        var steps = 1
        while try decoder.step() { steps += 1 }
        #expect(steps == 4 && decoder.image == noise)
        #expect(try !decoder.step())
    }

    @Test(
        "A decoder may be given up at any place", arguments: ["progressive.jpg", "rgb8_interlaced.png", "lossy.webp"])
    func abandoned(name: String) throws {
        _ = try ImageDecoder(Pictures.bytes(name))
        _ = try ImageDecoder(Pictures.bytes(name)).step()
    }
}

extension RGBImage {
    /// Random pixels.
    static func noise(width: Int, height: Int, seed: UInt64) -> RGBImage {
        var generator = TestGenerator(seed: seed)
        let bytes = (0..<(width * height * 3)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        return RGBImage(width: width, height: height, bytes: bytes)
    }
}
