/// A stretch of audio in memory: frames of one sample for each channel.
public struct AudioClip: Sendable, Equatable {
    /// Frames a second.
    public let sampleRate: Int

    /// Samples in a frame.
    public let channels: Int

    /// `frames` × `channels` values, frame by frame, in [-1, 1] as a rule.
    public let interleaved: [Float]

    /// Audio with its interleaved samples.
    public init(sampleRate: Int, channels: Int = 1, interleaved: [Float]) {
        precondition(sampleRate > 0 && channels > 0 && interleaved.count.isMultiple(of: channels))
        self.sampleRate = sampleRate
        self.channels = channels
        self.interleaved = interleaved
    }

    /// How many frames there are.
    public var frames: Int { interleaved.count / channels }

    /// How long it lasts.
    public var seconds: Double { Double(frames) / Double(sampleRate) }

    /// The mean of the channels, frame by frame.
    public func mono() -> [Float] {
        guard channels > 1 else { return interleaved }
        return (0..<frames).map { frame in
            let samples = interleaved[frame * channels..<(frame + 1) * channels]
            return samples.reduce(0, +) / Float(channels)
        }
    }

    /// The mean of the channels at another rate.
    public func mono(
        sampleRate rate: Int, quality: Resampler.Quality = .best
    ) throws(ResamplerError) -> [Float] {
        rate == sampleRate ? mono() : try Resampler.resample(mono(), from: sampleRate, to: rate, quality: quality)
    }
}
