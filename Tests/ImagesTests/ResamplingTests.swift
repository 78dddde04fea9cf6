import Foundation
import Images
import TestSupport
import Testing

@Suite("Bicubic resampling")
struct ResamplingTests {
    /// One picture that Pillow resampled; see `make_resampled.py`.
    struct Case: Decodable, CustomStringConvertible {
        let numbers: [Int]

        init(from decoder: any Decoder) throws { numbers = try [Int](from: decoder) }

        var description: String { "\(numbers[0]) × \(numbers[1]) to \(numbers[2]) × \(numbers[3]), seed \(numbers[4])" }
    }

    static let cases: [Case] = {
        let url = Pictures.folder.appending(path: "resampled.json")
        return (try? JSONDecoder().decode([Case].self, from: Data(contentsOf: url))) ?? []
    }()

    @Test("Every bit is Pillow's, for any sizes")
    func pillow() {
        #expect(Self.cases.count == 60)
        for (index, sizes) in Self.cases.enumerated() {
            var image = RGBImage.noise(
                width: sizes.numbers[0], height: sizes.numbers[1], seed: UInt64(sizes.numbers[4]))
            if index % 3 == 2 {
                image = RGBImage(
                    width: image.width, height: image.height, bytes: image.bytes.map { $0 & 1 == 1 ? 255 : 0 })
            }
            let result = image.resized(width: sizes.numbers[2], height: sizes.numbers[3])
            #expect(PNG.crc32(result.bytes) == UInt32(sizes.numbers[5]), "\(sizes)")
        }
    }

    @Test("One colour stays that colour, whatever the sizes")
    func constant() {
        var generator = TestGenerator(seed: 12)
        for _ in 0..<20 {
            let sizes = (0..<4).map { _ in Int.random(in: 1...120, using: &generator) }
            let image = RGBImage(
                width: sizes[0], height: sizes[1],
                bytes: (0..<(sizes[0] * sizes[1])).flatMap { _ in [255, 0, 130] as [UInt8] })
            let result = image.resized(width: sizes[2], height: sizes[3])
            #expect(Set(result.bytes.enumerated().map { "\($0 % 3) \($1)" }).count == 3, "\(sizes)")
        }
    }

    @Test("A large picture takes several steps")
    func steps() {
        let resampler = BicubicResampler(RGBImage.noise(width: 2000, height: 1500, seed: 1), width: 224, height: 224)
        var steps = 1
        while resampler.step() { steps += 1 }
        #expect(steps > 2)
        #expect(!resampler.step() && resampler.image.width == 224)
    }
}
