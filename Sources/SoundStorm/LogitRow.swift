import Foundation
import Tensors

/// The logits of one position, and how the reference draws an id from them.
///
/// They are compared as integers that are ordered as the numbers are: that vectorises, and a NaN has its place too.
struct LogitRow {
    let logits: UnsafeMutablePointer<Float>
    let count: Int

    /// What is drawn, and 1 − its probability among the logits that were kept.
    struct Draw {
        let id: Int
        let score: Float
    }

    /// Bounds the difference of two Gumbel values that the reference can draw: with its 1e-10 inside both logarithms
    /// they lie between −3.2 and 23.1. The rest is room for rounding.
    private static let gumbelSpan: Float = 64

    /// The first of the largest logits.
    func largest() -> Int {
        withKeys { keys in Self.first(of: keys, Self.maximum(keys)) }
    }

    /// argmax over the `kept` largest logits of logit / temperature + Gumbel noise, and its score when `scored`; the
    /// logits are then destroyed. `noise` is only asked for where it can change the outcome.
    func draw(
        keeping kept: Int, temperature: Float, scored: Bool, noise: (UnsafeMutableBufferPointer<Float>) -> Void
    ) -> Draw {
        withKeys { keys in
            let best = Self.first(of: keys, Self.maximum(keys))
            let decided = !hasRivals(of: best, temperature)
            if decided && !scored { return Draw(id: best, score: 0) }
            cut(keys, keeping: kept)
            let id = decided ? best : drawn(temperature, noise)
            guard scored else { return Draw(id: id, score: 0) }
            kernels.softmax_f32(logits, 1, count)
            return Draw(id: id, score: 1 - logits[id])
        }
    }

    /// Whether noise could lift another logit over the best.
    private func hasRivals(of best: Int, _ temperature: Float) -> Bool {
        let top = logits[best] / temperature
        var near: Int32 = 0
        for code in 0..<count { near = top - logits[code] / temperature >= Self.gumbelSpan ? near : near &+ 1 }
        return near > 1
    }

    private func drawn(_ temperature: Float, _ noise: (UnsafeMutableBufferPointer<Float>) -> Void) -> Int {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { numbers in
            numbers.initialize(repeating: 0)
            noise(numbers)
            var best = (id: 0, value: -Float.infinity)
            for code in 0..<count where logits[code] > -.infinity {
                let gumbel = -logf(-logf(numbers[code] + 1e-10) + 1e-10)
                let value = logits[code] / temperature + gumbel
                if value > best.value { best = (code, value) }
            }
            return best.id
        }
    }

    /// Puts all but the `kept` largest logits to minus infinity; of equal ones at the border the first stay.
    private func cut(_ keys: UnsafeMutableBufferPointer<Int32>, keeping kept: Int) {
        guard kept < count else { return }
        // Bisects for the smallest key that is kept: at or above `low` are too many, at or above `high`
        // too few.
        var (low, high) = (Int64(Self.minimum(keys)), Int64(Self.maximum(keys)) + 1)
        var round = 0
        while high - low > 1 {
            let middle = Self.between(low, high, round: round)
            let above = Self.count(keys, atLeast: middle)
            if above == kept {
                for code in 0..<count where keys[code] < middle { logits[code] = -.infinity }
                return
            }
            if above > kept { low = Int64(middle) } else { high = Int64(middle) }
            round += 1
        }
        // Several are equal to the border: `low` itself.
        let border = Int32(low)
        var room = kept - keys.count { $0 > border }
        for code in 0..<count where keys[code] <= border {
            if keys[code] == border && room > 0 { room -= 1 } else { logits[code] = -.infinity }
        }
    }

    /// A key strictly between two. Halving the numbers finds the border among logits, which are spread like a bell, in
    /// fewer rounds than halving the keys, half of which stand for numbers near zero; but only the latter must end soon.
    private static func between(_ low: Int64, _ high: Int64, round: Int) -> Int32 {
        let middle = (number(Int32(low)) + number(Int32(high - 1))) / 2
        if round < 16, middle.isFinite, (low + 1..<high).contains(Int64(key(middle))) { return key(middle) }
        return Int32((low + high) >> 1)
    }

    // MARK: Keys

    /// Negative numbers are turned round, their sign bit kept. Adding zero makes one zero of two.
    private static func key(_ number: Float) -> Int32 {
        let bits = Int32(bitPattern: (number + 0).bitPattern)
        return bits ^ ((bits >> 31) & Int32.max)
    }

    private static func number(_ key: Int32) -> Float {
        Float(bitPattern: UInt32(bitPattern: key ^ ((key >> 31) & Int32.max)))
    }

    private func withKeys<R>(_ body: (UnsafeMutableBufferPointer<Int32>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { keys in
            for code in 0..<count { keys.initializeElement(at: code, to: Self.key(logits[code])) }
            return body(keys)
        }
    }

    private static func maximum(_ keys: UnsafeMutableBufferPointer<Int32>) -> Int32 {
        var top = Int32.min
        for key in keys { top = key > top ? key : top }
        return top
    }

    private static func minimum(_ keys: UnsafeMutableBufferPointer<Int32>) -> Int32 {
        var bottom = Int32.max
        for key in keys { bottom = key < bottom ? key : bottom }
        return bottom
    }

    private static func first(of keys: UnsafeMutableBufferPointer<Int32>, _ key: Int32) -> Int {
        keys.firstIndex(of: key) ?? 0
    }

    private static func count(_ keys: UnsafeMutableBufferPointer<Int32>, atLeast border: Int32) -> Int {
        var above: Int32 = 0
        // Written as a choice of two sums this vectorises; as a sum of choices it branches, ten times slower.
        for key in keys { above = key >= border ? above &+ 1 : above }
        return Int(above)
    }
}
