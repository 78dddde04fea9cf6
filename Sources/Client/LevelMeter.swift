import Foundation

/// How loud the microphone is, for a person to look at: it rises at once and falls slowly.
public struct LevelMeter: Sendable {
    /// The least that is shown, in dB below full scale.
    public static let floor: Float = -60

    /// The level in dB, `floor` to 0.
    public private(set) var level = floor

    /// Silence.
    public init() {}

    /// Takes the next 20 ms or so.
    public mutating func hear(_ samples: [Float]) {
        guard !samples.isEmpty else { return }
        let power = samples.reduce(Float(0)) { $0 + $1 * $1 } / Float(samples.count)
        let decibels = power > 0 ? 10 * log10(power) : Self.floor
        level = min(0, max(decibels, level - 1.5, Self.floor))
    }
}
