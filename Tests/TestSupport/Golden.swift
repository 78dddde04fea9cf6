import Foundation

/// The golden cases that lie in the repository.
public enum Golden {
    /// The repository's `Tests` folder.
    public static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of one case, such as "llama-hf".
    public static func folder(_ name: String) -> URL { tests.appending(path: "Golden").appending(path: name) }

    /// A file of a case.
    public static func file(_ name: String, _ file: String) -> URL { folder(name).appending(path: file) }
}

/// A seeded generator for tests (SplitMix64): the same numbers on every machine.
public struct TestGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// A generator that will always give the same numbers for the same seed.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Cuts `count` into pieces of up to `longest`, some of them empty.
    public mutating func cuts(_ count: Int, longest: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start < count {
            let end = min(count, start + Int.random(in: 0...longest, using: &self))
            ranges.append(start..<end)
            start = end
        }
        return ranges
    }

    /// `count` values of a standard normal distribution (the sum of 12 uniform ones, less 6).
    public mutating func normal(_ count: Int) -> [Float] {
        (0..<count).map { _ in (0..<12).reduce(Float(-6)) { sum, _ in sum + Float.random(in: 0..<1, using: &self) } }
    }
}
