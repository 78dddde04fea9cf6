import Encodec
import Foundation
import Tensors
import TestSupport
import Testing

/// Streamed equals offline, to the last bit, however the sound is cut.
@Suite("Encodec streams") struct EncodecStreamTests {
    static let folders = ["encodec/encodec_32khz", "encodec24/encodec_24khz"]

    @Test("streamed codes equal offline codes, whatever the pieces", arguments: folders)
    func encoder(_ folder: String) throws {
        let model = try EncodecModel(folder: Golden.folder(folder))
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        for count in [1, 2, 7, 319, 640, 641, 1281, 9000, 40_000] {
            let samples = random.normal(count).map { $0 * 0.3 }
            let offline = model.encode(samples)
            #expect(offline[0].count == (count + model.hop - 1) / model.hop)
            for longest in [1, 37, 640, 5000, count] where count / max(longest, 1) < 4000 {
                var stream = model.makeEncoder()
                var codes = Array(repeating: [Int32](), count: offline.count)
                func take(_ piece: [[Int32]]) { for level in codes.indices { codes[level] += piece[level] } }
                for cut in random.cuts(count, longest: longest) { take(stream.append(Array(samples[cut]))) }
                take(stream.finish())
                #expect(codes == offline, "\(count) samples, pieces up to \(longest), seed \(seed)")
            }
        }
    }

    @Test("streamed sound equals offline sound, whatever the pieces", arguments: folders)
    func decoder(_ folder: String) throws {
        let model = try EncodecModel(folder: Golden.folder(folder))
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        let size = Int32(model.configuration.codebookSize)
        for frames in [1, 2, 3, 7, 60] {
            let codes = (0..<model.levels).map { _ in
                (0..<frames).map { _ in Int32.random(in: 0..<size, using: &random) }
            }
            let offline = try model.decode(codes).values
            #expect(offline.count == frames * model.hop)
            for longest in [1, 4, frames] {
                var stream = model.makeDecoder()
                var sound: [Float] = []
                for cut in random.cuts(frames, longest: longest) {
                    sound += try stream.append(codes.map { Array($0[cut]) })
                }
                sound += stream.finish()
                #expect(
                    sound.map(\.bitPattern) == offline.map(\.bitPattern),
                    "\(frames) frames by \(longest), seed \(seed)")
            }
        }
    }

    @Test("nothing in, nothing out") func empty() throws {
        let model = try EncodecModel(folder: Golden.folder(Self.folders[0]))
        #expect(model.encode([]).allSatisfy { $0.isEmpty })
        var encoder = model.makeEncoder()
        let codes = encoder.finish()
        #expect(codes.allSatisfy { $0.isEmpty })
        var decoder = model.makeDecoder()
        let sound = decoder.finish()
        #expect(sound.isEmpty)
    }

    @Test("codes that the codebook does not have are refused by name") func badCodes() throws {
        let model = try EncodecModel(folder: Golden.folder(Self.folders[0]))
        for codes: [[Int32]] in [[[2048]], [[-1]], [[0, 1], [0]], Array(repeating: [0], count: 5)] {
            #expect(throws: EncodecError.self) { try model.decode(codes) }
        }
    }
}
