internal import CSampleRate

/// A rate that libsamplerate does not convert, or a call of it that failed.
public struct ResamplerError: Error, Equatable, CustomStringConvertible {
    /// Samples a second that come in.
    public let inputRate: Int
    /// Samples a second that should go out.
    public let outputRate: Int
    /// What libsamplerate says.
    public let reason: String

    /// The rates and the reason.
    public var description: String { "cannot resample \(inputRate) Hz to \(outputRate) Hz: \(reason)" }
}

/// Mono samples from one rate to another, by band-limited interpolation (libsamplerate), in pieces of any length.
///
/// `n` samples give exactly ⌈`n` · outputRate / inputRate⌉ in all, once `finish` was called, and the same values however
/// they were cut into pieces. The first output stands at the time of the first input: there is no delay to skip, but the
/// outputs that need samples that are not there yet come with a later piece.
public final class Resampler {
    /// The length of the filter, which is what the conversion costs.
    public enum Quality: Sendable, CaseIterable {
        /// 97 dB signal to noise, 80 % bandwidth.
        case fast
        /// 121 dB, 90 %.
        case medium
        /// 144 dB, 96 %.
        case best
    }

    /// Samples a second that come in.
    public let inputRate: Int
    /// Samples a second that go out.
    public let outputRate: Int

    private let state: OpaquePointer
    private let ratio: Double
    private var consumed = 0
    private var produced = 0
    private var block: [Float]

    /// A resampler of one stream. Throws when a rate is not positive, or when one is more than 256 times the other.
    public init(from inputRate: Int, to outputRate: Int, quality: Quality = .medium) throws(ResamplerError) {
        func refuse(_ reason: String) -> ResamplerError {
            ResamplerError(inputRate: inputRate, outputRate: outputRate, reason: reason)
        }
        ratio = inputRate > 0 && outputRate > 0 ? Double(outputRate) / Double(inputRate) : 0
        guard src_is_valid_ratio(ratio) != 0 else { throw refuse("the ratio must be between 1/256 and 256") }
        let converter =
            switch quality {
            case .fast: SRC_SINC_FASTEST
            case .medium: SRC_SINC_MEDIUM_QUALITY
            case .best: SRC_SINC_BEST_QUALITY
            }
        var code: Int32 = 0
        guard let state = src_new(Int32(converter), 1, &code) else { throw refuse(Self.reason(code)) }
        self.state = state
        self.inputRate = inputRate
        self.outputRate = outputRate
        block = [Float](repeating: 0, count: 4096)
    }

    deinit { src_delete(state) }

    /// Takes the next samples and returns what they complete.
    public func process(_ samples: [Float]) throws(ResamplerError) -> [Float] {
        consumed += samples.count
        if inputRate == outputRate {
            produced += samples.count
            return samples
        }
        return try convert(samples, isLast: false)
    }

    /// Ends the stream and returns the rest of it. The resampler is then as new, for the next stream.
    public func finish() throws(ResamplerError) -> [Float] {
        defer { reset() }
        let missing = Self.outputCount(for: consumed, from: inputRate, to: outputRate) - produced
        guard missing > 0 else { return [] }
        // libsamplerate stops at the last whole output period, give or take a rounding; with silence after the end, which
        // is what it assumes there anyway, it goes past the count, and is cut.
        let silence = [Float](repeating: 0, count: 2 + Int((2 / ratio).rounded(.up)))
        return try Array(convert(silence, isLast: true).prefix(missing))
    }

    /// Forgets everything: as new.
    public func reset() {
        src_reset(state)
        consumed = 0
        produced = 0
    }

    /// A whole signal at once.
    public static func resample(
        _ samples: [Float], from inputRate: Int, to outputRate: Int, quality: Quality = .medium
    ) throws(ResamplerError) -> [Float] {
        let resampler = try Resampler(from: inputRate, to: outputRate, quality: quality)
        return try resampler.process(samples) + resampler.finish()
    }

    /// How many samples come out for `count` that went in: ⌈`count` · outputRate / inputRate⌉.
    public static func outputCount(for count: Int, from inputRate: Int, to outputRate: Int) -> Int {
        let (whole, rest) = count.quotientAndRemainder(dividingBy: inputRate)
        return whole * outputRate + (rest * outputRate + inputRate - 1) / inputRate
    }

    private func convert(_ samples: [Float], isLast: Bool) throws(ResamplerError) -> [Float] {
        var output: [Float] = []
        var used = 0
        while true {
            let (code, taken, made) = samples.withUnsafeBufferPointer { input in
                block.withUnsafeMutableBufferPointer { room in
                    var data = SRC_DATA()
                    data.data_in = input.baseAddress.map { $0 + used }
                    data.input_frames = input.count - used
                    data.data_out = room.baseAddress
                    data.output_frames = room.count
                    data.end_of_input = isLast ? 1 : 0
                    data.src_ratio = ratio
                    let code = src_process(state, &data)
                    return (code, data.input_frames_used, data.output_frames_gen)
                }
            }
            guard code == 0 else {
                throw ResamplerError(inputRate: inputRate, outputRate: outputRate, reason: Self.reason(code))
            }
            used += taken
            output += block[..<made]
            if made < block.count && used == samples.count { break }
            if made == 0 && taken == 0 { break }
        }
        produced += output.count
        return output
    }

    private static func reason(_ code: Int32) -> String {
        src_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
