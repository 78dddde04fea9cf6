import Foundation

/// Standard normal numbers out of a seed: SplitMix64 (Steele, Lea, Flood 2014) and the transform of Box and Muller. The
/// same seed gives the same picture on the same machine; they are not the numbers that PyTorch draws for that seed.
struct SeededNormals {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The next numbers.
    mutating func draw(_ count: Int) -> [Float] {
        var numbers: [Float] = []
        numbers.reserveCapacity(count + 1)
        while numbers.count < count {
            let radius = (-2 * log((Double(next() >> 11) + 0.5) * 0x1p-53)).squareRoot()
            let angle = 2 * Double.pi * Double(next() >> 11) * 0x1p-53
            numbers += [Float(radius * cos(angle)), Float(radius * sin(angle))]
        }
        return Array(numbers.prefix(count))
    }
}
