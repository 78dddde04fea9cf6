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
        var near = 0
        for code in 0..<count { near &+= top - logits[code] / temperature >= Self.gumbelSpan ? 0 : 1 }
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
        // Bisects for the smallest key that is kept.
        var (low, high) = (Int64(Int32.min), Int64(Self.maximum(keys)) + 1)
        while high - low > 1 {
            let middle = Int32((low + high) >> 1)
            let above = Self.count(keys, atLeast: middle)
            if above == kept {
                for code in 0..<count where keys[code] < middle { logits[code] = -.infinity }
                return
            }
            if above > kept { low = Int64(middle) } else { high = Int64(middle) }
        }
        // Several are equal to the border: `low` itself.
        let border = Int32(low)
        var room = kept - keys.count { $0 > border }
        for code in 0..<count where keys[code] <= border {
            if keys[code] == border && room > 0 { room -= 1 } else { logits[code] = -.infinity }
        }
    }

    // MARK: Keys

    private func withKeys<R>(_ body: (UnsafeMutableBufferPointer<Int32>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { keys in
            for code in 0..<count {
                // Adding zero makes one zero of two. Negative numbers are turned round, their sign bit kept.
                let bits = Int32(bitPattern: (logits[code] + 0).bitPattern)
                keys.initializeElement(at: code, to: bits ^ ((bits >> 31) & Int32.max))
            }
            return body(keys)
        }
    }

    private static func maximum(_ keys: UnsafeMutableBufferPointer<Int32>) -> Int32 {
        var top = Int32.min
        for key in keys { top = key > top ? key : top }
        return top
    }

    private static func first(of keys: UnsafeMutableBufferPointer<Int32>, _ key: Int32) -> Int {
        keys.firstIndex(of: key) ?? 0
    }

    private static func count(_ keys: UnsafeMutableBufferPointer<Int32>, atLeast border: Int32) -> Int {
        var above: Int32 = 0
        for key in keys { above &+= key >= border ? 1 : 0 }
        return Int(above)
    }
}
