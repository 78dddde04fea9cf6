import Foundation
import Images
import TestSupport
import Testing

@Suite("Writing PNG files")
struct PNGWriterTests {
    @Test("What is written is read again", arguments: [(1, 1), (1, 300), (300, 1), (64, 48), (701, 523)])
    func roundTrip(width: Int, height: Int) throws {
        let image = RGBImage.noise(width: width, height: height, seed: 7)
        #expect(try ImageFile.decode(image.png()) == image)
    }

    @Test("Texts stand before the pixels, ASCII as tEXt, others as iTXt")
    func texts() throws {
        let image = RGBImage.noise(width: 8, height: 8, seed: 8)
        let file = try image.png(text: [("Software", "anygptd"), ("Prompt", "ein Bär\nim Café 🐻"), ("Empty", "")])
        let chunks = PNG.chunks(file)
        #expect(chunks.map(\.kind) == ["IHDR", "tEXt", "iTXt", "tEXt", "IDAT", "IEND"])
        #expect(chunks[1].data == Array("Software\0anygptd".utf8))
        #expect(chunks[2].data == Array("Prompt\0\0\0\0\0ein Bär\nim Café 🐻".utf8))
        #expect(chunks[3].data == Array("Empty\0".utf8))
        #expect(try ImageFile.decode(file) == image)
    }

    @Test(
        "A keyword that PNG does not allow is refused",
        arguments: ["", " a", "a ", "a  b", "ä", "a\n", String(repeating: "a", count: 80)])
    func keywords(keyword: String) {
        let image = RGBImage.noise(width: 2, height: 2, seed: 9)
        #expect(throws: ImageFileError.self) { try image.png(text: [(keyword, "text")]) }
        #expect(throws: ImageFileError.self) { try image.png(text: [("Keyword", "a\0b")]) }
    }

    @Test("A large file is made in steps, and may be given up")
    func steps() throws {
        let image = RGBImage.noise(width: 768, height: 768, seed: 10)
        let writer = try PNGWriter(width: 768, height: 768)
        var steps = 1
        while try writer.step(image) { steps += 1 }
        #expect(steps == 5)
        #expect(try ImageFile.decode(writer.finish()) == image)
        _ = try PNGWriter(width: 768, height: 768).step(image)
    }
}
