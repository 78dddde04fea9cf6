import Checkpoints
import Foundation
import Images
import SEED
import TestSupport
import Tensors
import Testing

@Suite("SEED's tokenizer")
struct TokenizerTests {
    /// Networks of other shapes: one layer of each kind, more queries than a tile of attention, none that are causal.
    static let networks: [(name: String, sizes: RandomTokenizer.Sizes)] = {
        var small = RandomTokenizer.Sizes()
        (small.grid, small.visionDepth, small.layers, small.blocks, small.down) = (1, 1, 1, 1, [5])
        (small.queries, small.codes, small.vision, small.visionHeads) = (1, 2, 6, 1)
        var many = RandomTokenizer.Sizes()
        (many.queries, many.grid, many.patch, many.size, many.queryHeads) = (70, 9, 2, 36, 4)
        (many.visionHidden, many.hidden, many.features) = (300, 257, 520)
        return [("as the official one", RandomTokenizer.Sizes()), ("the smallest", small), ("larger", many)]
    }()

    @Test("The vectors and ids are those of the plainest network", arguments: networks.indices, [1, 2] as [UInt64])
    func encoding(network: Int, seed: UInt64) throws {
        let tokenizer = try RandomTokenizer(Self.networks[network].sizes, seed: seed)
        try tokenizer.write()
        let model = try tokenizer.load()
        let naive = NaiveTokenizer(tokenizer)
        let image = RGBImage.noise(width: 31, height: 45, seed: seed)
        var z: [Float] = []
        let ids = model.encode(image) { name, value in if name == "z" { z = value.values } }
        let expected = naive.vectors(image.resized(width: model.vision.side, height: model.vision.side))
        let farthest = zip(z, expected.flatMap { $0 }).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(farthest < 2e-5 && z.count == tokenizer.sizes.queries * tokenizer.sizes.dimension)
        for (id, vector) in zip(ids, expected) {
            let distances = naive.distances(vector)
            #expect(distances[Int(id)] - (distances.min() ?? 0) < 1e-4)
        }
    }

    @Test("The embedding is that of the plainest network", arguments: networks.indices, [3, 4] as [UInt64])
    func decoding(network: Int, seed: UInt64) throws {
        let tokenizer = try RandomTokenizer(Self.networks[network].sizes, seed: seed)
        try tokenizer.write()
        let model = try tokenizer.load()
        var generator = TestGenerator(seed: seed)
        let ids = (0..<tokenizer.sizes.queries).map { _ in
            Int32.random(in: 0..<Int32(tokenizer.sizes.codes), using: &generator)
        }
        let embedding = try model.quantizer.embedding(of: ids)
        let expected = NaiveTokenizer(tokenizer).embedding(ids)
        let farthest = zip(embedding, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(farthest < 5e-5 && embedding.count == tokenizer.sizes.features)
    }

    @Test("Weights of 16 bits compute as the same numbers of 32", arguments: [DType.float16, .bfloat16])
    func halves(type: DType) throws {
        let tokenizer = try RandomTokenizer(seed: 5)
        tokenizer.round()
        // What bfloat16 holds, half precision holds too, as long as it is not tiny.
        let image = RGBImage.noise(width: 20, height: 20, seed: 5)
        try tokenizer.write()
        let ids = try tokenizer.load().encode(image)
        let embedding = try tokenizer.load().quantizer.embedding(of: ids)
        try tokenizer.write(type)
        #expect(try tokenizer.load().encode(image) == ids)
        let other = try tokenizer.load().quantizer.embedding(of: ids)
        #expect(zip(other, embedding).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("Ids that are no picture's are refused")
    func ids() throws {
        let tokenizer = try RandomTokenizer(seed: 6)
        try tokenizer.write()
        let quantizer = try tokenizer.load().quantizer
        let count = quantizer.queries
        for wrong in [0, 1, count - 1, count + 1] {
            #expect(throws: SEEDError.wrongCount(wrong, expected: count)) {
                try quantizer.embedding(of: [Int32](repeating: 0, count: wrong))
            }
        }
        for id in [-1, Int32(quantizer.codes), .max] {
            #expect(throws: SEEDError.unknownCode(id: id, codes: quantizer.codes)) {
                try quantizer.embedding(of: [Int32](repeating: 0, count: count - 1) + [id])
            }
        }
    }

    @Test("A picture may be given up at any place")
    func abandoned() throws {
        let tokenizer = try RandomTokenizer(seed: 7)
        try tokenizer.write()
        let model = try tokenizer.load()
        let image = RGBImage.noise(width: 3000, height: 1000, seed: 7)
        let run = SEEDTokenizing(image, model)
        #expect(run.step() && run.step())
        _ = try SEEDDetokenizing([Int32](repeating: 0, count: 32), model.quantizer)
        let whole = SEEDTokenizing(image, model)
        var steps = 0
        while whole.step() { steps += 1 }
        #expect(steps >= 3 && whole.ids == model.encode(image))
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
