import Compute
import Foundation
import Tensors

/// How fast weights can be read, which is what a token's time is made of.
enum MemorySpeed {
    /// Bytes a second that all threads together read, out of a block larger than the caches.
    static func measure() -> Double {
        let (count, shares) = (64 << 20, ComputePool.shared.threadCount)
        let block = FloatBuffer(zeros: count)
        for index in stride(from: 0, to: count, by: 1024) { block.pointer[index] = 1 }
        let sums = FloatBuffer(zeros: shares * 16)
        let clock = ContinuousClock()
        var best = Duration.seconds(1000)
        for _ in 0..<4 {
            let time = clock.measure {
                ComputePool.shared.parallelFor(shares) { share in
                    let (start, end) = (count * share / shares, count * (share + 1) / shares)
                    let part = block.pointer + start
                    sums.pointer[share * 16] = kernels.dot_f32(part, part, end - start)
                }
            }
            best = min(best, time)
        }
        return Double(count * 4) / (best / .seconds(1))
    }

    /// What the speed means for a backbone of this size.
    static func finding(_ speed: Double, weights: Int?) -> Finding {
        let text = String(format: "%.1f GB/s", speed / 1e9)
        guard let weights, weights > 0 else { return .ok("memory speed", text) }
        // 50 tokens are a second of speech; half of the speed is left to everything else.
        let tokens = speed / Double(weights)
        let detail = text + String(format: ": at most %.0f tokens a second with this backbone", tokens)
        return tokens >= 100
            ? .ok("memory speed", detail)
            : .note(
                "memory speed", detail,
                "speech needs 50 and more: use anygpt convert --precision int8 or int4, or a smaller model")
    }

    /// Whether the weights fit into memory.
    static func room(weights: Int?) -> Finding {
        let lines = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("MemAvailable:") }?.split(separator: " ")
        guard let line, line.count > 1, let available = Int(line[1]).map({ $0 * 1024 }) else {
            return .note("memory", "the system does not tell how much is free", "look at it with: free -h")
        }
        let text = String(format: "%.1f GB available", Double(available) / 1e9)
        guard let weights, weights > available else { return .ok("memory", text) }
        return .note(
            "memory", text + String(format: ", the backbone has %.1f GB", Double(weights) / 1e9),
            "its weights will be read from disk again and again: use anygpt convert, or close other programs")
    }
}
