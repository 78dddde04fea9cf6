import Audio
import Wire

extension AudioFormat {
    /// The samples, -1 ... 1, that bytes in this format stand for.
    func samples(_ bytes: [UInt8]) -> [Float] {
        switch self {
        case .pcm: PCM16.samples(bytes)
        case .pcmu: G711.muLaw.samples(bytes)
        case .pcma: G711.aLaw.samples(bytes)
        }
    }

    /// The bytes of samples in this format.
    func bytes(_ samples: some Collection<Float>) -> [UInt8] {
        switch self {
        case .pcm: PCM16.bytes(samples)
        case .pcmu: G711.muLaw.bytes(samples)
        case .pcma: G711.aLaw.bytes(samples)
        }
    }
}
