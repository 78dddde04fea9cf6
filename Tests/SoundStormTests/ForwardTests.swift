import Checkpoints
import Foundation
import SoundStorm
import Tensors
import TestSupport
import Testing

@Suite("One forward pass")
struct ForwardTests {
    static let networks: [RandomNetwork] = [
        RandomNetwork(),
        RandomNetwork(sequential: true),
        // An even filter reaches further back than ahead; heads wider than a panel, and than a vector.
        RandomNetwork(dim: 24, depth: 1, heads: 1, headSize: 40, feedForward: 7, channels: 33, taps: 4, levels: 2),
        RandomNetwork(dim: 10, depth: 3, heads: 5, headSize: 2, channels: 5, taps: 1, levels: 1, codes: 5),
    ]

    @Test(
        "equals a plain one in double precision, for any sizes, frames and masks", arguments: networks.indices,
        [UInt64(1), 2])
    func equalsNaive(network index: Int, seed: UInt64) throws {
        let network = Self.networks[index]
        try TemporaryFolder.with { folder in
            let file = folder.appending(path: "network.safetensors")
            try network.write(to: file, seed: seed)
            let model = try SoundStormModel(contentsOf: file, described: network.description)
            let naive = try NaiveConformer(network, file: file)
            var random = TestGenerator(seed: seed)
            for frames in [1, 2, 9, 70] {
                let tokens = TokenGrid(
                    levels: network.levels,
                    values: (0..<frames * network.levels).map { _ in Int.random(in: 0...network.codes, using: &random) }
                )
                let condition = (0..<frames).map { _ in Int.random(in: 0...network.semanticCodes, using: &random) }
                let some = (0..<frames).map { _ in Bool.random(using: &random) }
                for visible in [nil, some, Array(repeating: false, count: frames)] {
                    let logits = try model.forward(tokens: tokens, condition: condition, visible: visible)
                    let expected = naive.logits(
                        tokens, condition, visible: visible ?? Array(repeating: true, count: frames))
                    let error = zip(logits.values, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
                    #expect(logits.shape == [frames * network.levels, network.codes])
                    #expect(error < 2e-4, "network \(index), seed \(seed), \(frames) frames: \(error)")
                }
            }
        }
    }

    @Test("the two layouts of the convolution module hold the same network")
    func layouts() throws {
        let golden = try SoundStormCase()
        let original = try Checkpoint.open(golden.file)
        try TemporaryFolder.with { folder in
            var writer = SafetensorsWriter()
            for name in original.names {
                writer.add(RandomNetwork.inSequentialLayout(name), try original.array(name))
            }
            let file = folder.appending(path: "sequential.safetensors")
            try writer.write(to: file)
            #expect(try Checkpoint.open(file).names.contains("net.conformer.layers.1.conv.net.4.conv.weight"))
            let renamed = try SoundStormModel(contentsOf: file, described: golden.description)
            let tokens = try golden.grid("forward.tokens")
            let condition = try golden.inputs.integers("forward.condition_tokens").values
            let logits = try golden.model().forward(tokens: tokens, condition: condition)
            #expect(try renamed.forward(tokens: tokens, condition: condition).values == logits.values)
        }
    }

    @Test("ids and shapes that do not fit are refused")
    func refusals() throws {
        let network = RandomNetwork()
        let model = try network.model(seed: 3)
        func tokens(_ id: Int, frames: Int = 4, levels: Int = 3) -> TokenGrid {
            TokenGrid(frames: frames, levels: levels, repeating: id)
        }
        let condition = [0, 1, 2, network.semanticCodes]
        _ = try model.forward(tokens: tokens(network.codes), condition: condition)
        for bad in [-1, network.codes + 1, Int.max] {
            #expect(throws: SoundStormError.self) { try model.forward(tokens: tokens(bad), condition: condition) }
        }
        #expect(throws: SoundStormError.self) { try model.forward(tokens: tokens(0), condition: [0, 1, 2, 12]) }
        #expect(throws: SoundStormError.self) { try model.forward(tokens: tokens(0), condition: [0, 1, 2]) }
        #expect(throws: SoundStormError.self) {
            try model.forward(tokens: tokens(0, levels: 4), condition: condition)
        }
        #expect(throws: SoundStormError.self) {
            try model.forward(tokens: tokens(0), condition: condition, visible: [true])
        }
    }
}
