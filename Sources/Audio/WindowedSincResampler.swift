internal import Glibc

/// Mono samples from one rate to another by a short windowed sinc, exactly as `torchaudio.transforms.Resample` does it by
/// default: what the reference reads music with, so that the same file gives the same tokens.
///
/// The filter is 6 periods to each side of the lower rate, rolled off at 0.99 of its half, under a Hann window. Where
/// the sound is to be heard, `Resampler` is the better one.
public struct WindowedSincResampler: Sendable {
    private static let periods = 6.0
    private static let rolloff = 0.99

    /// Samples a second that come in, and that go out, without their common divisor.
    private let input: Int
    private let output: Int
    /// Inputs that an output depends on.
    private let taps: Int
    /// For each of the `output` phases: its first input, counted from the phase's period, and its weights.
    private let starts: [Int]
    private let weights: [Float]

    /// A resampler between two rates. Throws when a rate is not between 1 and 384,000.
    public init(from inputRate: Int, to outputRate: Int) throws(ResamplerError) {
        guard (1...384_000).contains(inputRate), (1...384_000).contains(outputRate) else {
            throw ResamplerError(
                inputRate: inputRate, outputRate: outputRate, reason: "rates must be between 1 and 384,000 Hz")
        }
        var (a, b) = (inputRate, outputRate)
        while b != 0 { (a, b) = (b, a % b) }
        (input, output) = (inputRate / a, outputRate / a)
        let base = Double(min(input, output)) * Self.rolloff
        let reach = Self.periods * Double(input) / base
        let (input, output, taps) = (input, output, 2 * Int(reach.rounded(.up)) + 1)
        self.taps = taps
        var (starts, weights): ([Int], [Float]) = ([], [])
        weights.reserveCapacity(output * taps)
        for phase in 0..<output {
            let center = Double(phase) * Double(input) / Double(output)
            let start = Int(center) - taps / 2
            starts.append(start)
            for tap in 0..<taps {
                let time = (Double(start + tap) - center) / Double(input) * base
                weights.append(Self.weight(time) * Float(base / Double(input)))
            }
        }
        (self.starts, self.weights) = (starts, weights)
    }

    /// sinc under the window, `time` in periods.
    private static func weight(_ time: Double) -> Float {
        guard abs(time) < periods else { return 0 }
        let window = cos(time * .pi / periods / 2)
        let angle = time * .pi
        return Float((angle == 0 ? 1 : sin(angle) / angle) * window * window)
    }

    /// A whole signal: ⌈count · outputRate / inputRate⌉ samples; beyond its ends there is silence.
    public func callAsFunction(_ samples: [Float]) -> [Float] {
        guard input != output else { return samples }
        let count = Resampler.outputCount(for: samples.count, from: input, to: output)
        return [Float](unsafeUninitializedCapacity: count) { target, initialized in
            samples.withUnsafeBufferPointer { samples in
                weights.withUnsafeBufferPointer { weights in
                    for index in 0..<count {
                        let (period, phase) = index.quotientAndRemainder(dividingBy: output)
                        let start = period * input + starts[phase]
                        var sum: Float = 0
                        for tap in max(0, -start)..<max(max(0, -start), min(taps, samples.count - start)) {
                            sum += samples[start + tap] * weights[phase * taps + tap]
                        }
                        target[index] = sum
                    }
                }
            }
            initialized = count
        }
    }
}
