import Foundation

/// Where a signal stands in a recording, and how faithful the recording is, piece by piece.
///
/// On a busy machine a buffer of 20 ms is now and then filled too late: silence stands between two pieces then, and a sink's
/// monitor may lose a few milliseconds. So pieces of 40 ms are looked for one after the other, each near where the one
/// before it ended; those that are not there are counted.
public struct Alignment: Sendable {
    /// The recording's sample that is the signal's first.
    public let offset: Int
    /// The share of pieces that are there, in order.
    public let share: Double
    /// How far what differs in them lies below the signal, in dB; infinite when nothing does.
    public let signalToNoise: Double
    /// Pieces that do not follow the one before them at once.
    public let breaks: Int

    /// Looks for a signal, whose first half second is no silence. nil when the recording is shorter than that.
    public init?(of signal: [Float], in recording: [Float], rate: Int) {
        let probe = min(signal.count, rate / 2)
        guard probe > 0, recording.count >= probe else { return nil }
        offset = Self.bestOffset(of: Array(signal[..<probe]), in: recording)
        let length = rate / 25
        var (pieces, found, breaks, place) = (0, 0, 0, offset)
        var (power, noise) = (0.0, 0.0)
        for start in stride(from: 0, to: signal.count - length + 1, by: length) {
            pieces += 1
            let piece = signal[start..<start + length]
            let energy = piece.reduce(0) { $0 + Double($1) * Double($1) }
            // 30 dB tell a piece from all others; silence is anywhere.
            let limit = max(energy / 1000, 1e-9)
            let near = [place] + (max(0, place - rate / 10)..<max(0, place) + rate / 2)
            let match = near.lazy.compactMap { candidate -> (Int, Double)? in
                Self.difference(piece, recording, at: candidate, limit: limit).map { (candidate, $0) }
            }.first
            if let (position, difference) = match {
                found += 1
                if position != place { breaks += 1 }
                power += energy
                noise += difference
                place = position
            }
            place += length
        }
        share = pieces == 0 ? 0 : Double(found) / Double(pieces)
        signalToNoise = noise == 0 ? .infinity : 10 * log10(power / noise)
        self.breaks = breaks
    }

    /// The energy of what differs; nil when it is more than the limit, or the recording ends before.
    private static func difference(
        _ piece: ArraySlice<Float>, _ recording: [Float], at place: Int, limit: Double
    ) -> Double? {
        guard place >= 0, place + piece.count <= recording.count else { return nil }
        var sum = 0.0
        for (index, sample) in piece.enumerated() {
            let difference = Double(sample) - Double(recording[place + index])
            sum += difference * difference
            if sum > limit { return nil }
        }
        return sum
    }

    /// Where the cross-correlation is largest.
    private static func bestOffset(of probe: [Float], in recording: [Float]) -> Int {
        var best = (offset: 0, value: -Float.infinity)
        probe.withUnsafeBytes { probe in
            recording.withUnsafeBytes { recording in
                let width = MemoryLayout<SIMD8<Float>>.size
                for offset in stride(from: 0, through: recording.count - probe.count, by: 4) {
                    var sum = SIMD8<Float>()
                    for index in stride(from: 0, through: probe.count - width, by: width) {
                        sum +=
                            probe.loadUnaligned(fromByteOffset: index, as: SIMD8<Float>.self)
                            * recording.loadUnaligned(fromByteOffset: offset + index, as: SIMD8<Float>.self)
                    }
                    let value = sum.sum()
                    if value > best.value { best = (offset / 4, value) }
                }
            }
        }
        return best.offset
    }

    /// Whether most of the signal is there, in order, and what is there is the same.
    public func isFaithful(decibels: Double) -> Bool { share >= 0.75 && signalToNoise >= decibels }
}

extension Alignment: CustomStringConvertible {
    /// For a test's output.
    public var description: String {
        String(format: "%.0f %% of the signal, %.1f dB signal to noise, %d breaks", 100 * share, signalToNoise, breaks)
    }
}

/// Noise that swells and fades a few times a second, as speech does: no two stretches of it are alike.
public func testSignal(seconds: Double, rate: Int, seed: UInt64) -> [Float] {
    var generator = TestGenerator(seed: seed)
    let noise = generator.normal(Int(seconds * Double(rate)))
    return noise.indices.map { index in
        noise[index] * 0.05 * Float(1.2 + sin(2 * .pi * 3.3 * Double(index) / Double(rate)))
    }
}
