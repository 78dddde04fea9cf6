import Foundation
@testable import SoundStorm
import TestSupport
import Testing

@Suite("Drawing from logits")
struct LogitRowTests {
    private func with<R>(_ logits: [Float], _ body: (LogitRow) -> R) -> R {
        var copy = logits
        return copy.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { body(LogitRow(logits: $0, count: buffer.count)) }!
        }
    }

    /// The definition, with noise for everything.
    private func drawn(_ logits: [Float], kept: Int, temperature: Float, _ numbers: [Float]) -> (Int, Double) {
        let best = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(kept).sorted()
        let lifted = best.map { logits[$0] / temperature - logf(-logf(numbers[$0] + 1e-10) + 1e-10) }
        let id = best[lifted.indices.max { (lifted[$0], $1) < (lifted[$1], $0) } ?? 0]
        let total = best.reduce(0) { $0 + exp(Double(logits[$1])) }
        return (id, 1 - exp(Double(logits[id])) / total)
    }

    @Test(
        "equals the definition at every temperature, with equal logits and with logits that noise can pass",
        arguments: [Float(1e-10), 1e-8, 0.02, 0.25, 1], [UInt64(1), 2, 3])
    func equalsDefinition(temperature: Float, seed: UInt64) {
        var random = TestGenerator(seed: seed)
        for round in 0..<200 {
            let count = Int.random(in: 1...130, using: &random)
            let kept = Int.random(in: 1...count, using: &random)
            // Coarse logits are often equal; tiny ones are near each other even when divided by 1e-10.
            let scale: Float = [3, 1e-9, 1][round % 3]
            let logits = random.normal(count).map { round % 3 == 2 ? $0.rounded() : $0 * scale }
            let numbers = (0..<count).map { _ in Float(Int.random(in: 0..<65_536, using: &random)) / 65_536 + 0x1p-17 }
            let expected = drawn(logits, kept: kept, temperature: temperature, numbers)
            for scored in [true, false] {
                let draw = with(logits) { row in
                    row.draw(keeping: kept, temperature: temperature, scored: scored) { target in
                        for (index, number) in numbers.enumerated() { target[index] = number }
                    }
                }
                #expect(draw.id == expected.0, "seed \(seed), round \(round)")
                if scored { #expect(abs(Double(draw.score) - expected.1) < 1e-6, "seed \(seed), round \(round)") }
            }
        }
    }

    @Test("noise is not asked for where it cannot matter")
    func withoutNoise() {
        var asked = 0
        let draw = with([0, 3, 1, 2]) { row in
            row.draw(keeping: 2, temperature: 1e-10, scored: true) { _ in asked += 1 }
        }
        #expect(draw.id == 1 && asked == 0)
        #expect(abs(draw.score - (1 - 1 / (1 + exp(-1)))) < 1e-6)
        _ = with([0, 3, 1, 2]) { $0.draw(keeping: 2, temperature: 1, scored: true) { _ in asked += 1 } }
        #expect(asked == 1)
    }

    @Test("the first of the largest is taken, and infinities and NaN do no harm")
    func extremes() {
        #expect(with([1, 2, 2, -1]) { $0.largest() } == 1)
        #expect(with([-0.0, 0.0]) { $0.largest() } == 0)
        #expect(with([-.infinity, -3, -2]) { $0.largest() } == 2)
        let rows: [[Float]] = [
            [.nan, .nan, .nan], [1, .nan, 2], [.infinity, .infinity, 0], [-.infinity, -.infinity],
        ]
        for row in rows {
            for temperature in [Float(1e-10), 1] {
                let draw = with(row) { $0.draw(keeping: 1, temperature: temperature, scored: true) { _ in } }
                #expect(row.indices.contains(draw.id))
            }
        }
    }

    @Test("seeded noise is the same for the same place, different elsewhere, uniform, and never 0 or 1")
    func seeded() {
        func numbers(_ seed: UInt64, call: Int, position: Int) -> [Float] {
            var numbers = Array(repeating: Float(0), count: 4_096)
            numbers.withUnsafeMutableBufferPointer {
                SeededNoise(seed: seed).uniforms(call: call, position: position, into: $0)
            }
            return numbers
        }
        let one = numbers(7, call: 2, position: 3)
        #expect(one == numbers(7, call: 2, position: 3))
        #expect(Set([one, numbers(8, call: 2, position: 3), numbers(7, call: 3, position: 3)]).count == 3)
        #expect(one != numbers(7, call: 2, position: 4) && one != numbers(7, call: 3, position: 2))
        #expect(one.allSatisfy { $0 > 0 && $0 < 1 })
        #expect(abs(one.reduce(0, +) / 4_096 - 0.5) < 0.02)
        #expect(Set(one).count > 4_080)
    }

    @Test("recorded noise is refused unless its shape is that of its values")
    func recorded() throws {
        for shape in [[], [2, 3], [2, 3, 5], [-2, -3, 4], [0, 3, 4], [Int.max, 2, 2], [24, 1]] {
            #expect(throws: SoundStormError.self) {
                try RecordedNoise(Array(repeating: 1, count: 24), shape: shape)
            }
        }
        let noise = try RecordedNoise((0..<24).map { UInt16($0) }, shape: [2, 3, 4])
        var numbers: [Float] = [0, 0, 0, 0]
        numbers.withUnsafeMutableBufferPointer { noise.uniforms(call: 3, position: 2, into: $0) }
        #expect(numbers == [20, 21, 22, 23].map { ($0 + 0.5) / 65_536 })
    }
}
