import Foundation
import Tensors
import TestSupport
import Testing

@testable import UnCLIP

@Suite("Attention in tiles") struct AttentionTests {
    @Test(
        "is that of the whole matrix",
        arguments: [(8, 5, 70), (64, 64, 513), (64, 3, 1030), (40, 17, 512), (130, 9, 300)])
    func equalsNaive(headSize: Int, queries: Int, keys: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        let stride = headSize + 3
        let q = random.normal(queries * stride)
        let k = random.normal(keys * stride)
        let v = random.normal(keys * stride)
        let tiles = AttentionTiles(headSize: headSize)
        var packed = [Float](repeating: .nan, count: tiles.packedCount(keys))
        for tile in 0..<tiles.tiles(keys) { tiles.pack(tile: tile, of: keys, k, v, stride: stride, into: &packed) }
        var y = q
        let scratch = FloatBuffer(zeros: tiles.scratchCount)
        y.withUnsafeMutableBufferPointer { y in
            guard let base = y.baseAddress else { return }
            tiles.attend(
                base, rows: queries, stride: stride, packed, count: keys, into: base, scratch: scratch.pointer)
        }
        var worst = 0.0
        for row in 0..<queries {
            let scores = (0..<keys).map { key in
                (0..<headSize).reduce(0.0) { $0 + Double(q[row * stride + $1]) * Double(k[key * stride + $1]) }
                    / Double(headSize).squareRoot()
            }
            let top = scores.max() ?? 0
            let weights = scores.map { exp($0 - top) }
            let total = weights.reduce(0, +)
            for column in 0..<headSize {
                let truth = (0..<keys).reduce(0.0) { $0 + weights[$1] * Double(v[$1 * stride + column]) } / total
                worst = max(worst, abs(truth - Double(y[row * stride + column])))
            }
            for column in headSize..<stride { #expect(y[row * stride + column] == q[row * stride + column]) }
        }
        #expect(worst < 5e-6, "seed \(seed)")
    }
}
