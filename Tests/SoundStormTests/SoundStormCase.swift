import Checkpoints
import Foundation
import SoundStorm
import Tensors
import TestSupport

/// The golden case: a tiny checkpoint in the official layout, and what the reference computes from it.
struct SoundStormCase {
    static let folder = Golden.folder("soundstorm")
    let file = Self.folder.appending(path: "speechtokenizer_soundstorm_mls.pt")
    let inputs: Checkpoint
    let expected: Checkpoint
    let description: SoundStormDescription
    let maskCounts: [String: [String: [Int]]]

    private struct CaseFile: Decodable {
        let config: SoundStormDescription
        let maskCounts: MaskCounts

        enum CodingKeys: String, CodingKey {
            case config
            case maskCounts = "mask_counts"
        }
    }

    private struct MaskCounts: Decodable {
        let plain: [String: [Int]]
        let prompt: [String: [Int]]
    }

    init() throws {
        inputs = try Checkpoint.open(Self.folder.appending(path: "inputs.safetensors"))
        expected = try Checkpoint.open(Self.folder.appending(path: "expected.safetensors"))
        let json = try Data(contentsOf: Self.folder.appending(path: "case.json"))
        let file = try JSONDecoder().decode(CaseFile.self, from: json)
        description = file.config
        maskCounts = ["plain": file.maskCounts.plain, "prompt": file.maskCounts.prompt]
    }

    func model() throws -> SoundStormModel { try SoundStormModel(contentsOf: file, described: description) }

    func grid(_ name: String) throws -> TokenGrid {
        let (values, shape) = try inputs.integers(name)
        return TokenGrid(levels: shape[1], values: values)
    }

    func noise() throws -> RecordedNoise {
        let (values, shape) = try inputs.integers("noise")
        return try RecordedNoise(values.map { UInt16($0) }, shape: shape)
    }
}

/// The largest absolute difference of two equally shaped tensors.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
    guard a.shape == b.shape else { return .infinity }
    return zip(a.values, b.values).reduce(0) { largest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}
