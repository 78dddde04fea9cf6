/// Signed 16-bit samples, the common currency of sound cards and files, to and from Float in [-1, 1).
public enum PCM16 {
    /// A sample as Float: -32768 is -1.
    public static func float(_ sample: Int16) -> Float { Float(sample) / 32_768 }

    /// The nearest 16-bit sample; beyond full scale it saturates, and what is not a number is silence. The inverse of
    /// `float(_:)` for all 65,536 values.
    public static func int16(_ sample: Float) -> Int16 {
        let scaled = (sample * 32_768).rounded()
        if scaled >= 32_767 { return 32_767 }
        if scaled <= -32_768 { return -32_768 }
        return scaled.isNaN ? 0 : Int16(scaled)
    }

    /// Samples as little-endian bytes, two each.
    public static func bytes(_ samples: some Collection<Float>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * samples.count)
        for sample in samples {
            let bits = UInt16(bitPattern: int16(sample))
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
        }
        return bytes
    }

    /// Samples from little-endian bytes. An odd last byte is left out; `PCM16Reader` keeps it for the next piece.
    public static func samples(_ bytes: some Collection<UInt8>) -> [Float] {
        var reader = PCM16Reader()
        return reader.read(bytes)
    }
}

/// Little-endian 16-bit samples out of a stream of bytes that may be cut anywhere, also in the middle of a sample.
public struct PCM16Reader: Sendable {
    /// The first byte of a sample whose second one has not come.
    private var low: UInt8?

    /// Whether the stream, should it end here, ends in the middle of a sample.
    public var endsInsideSample: Bool { low != nil }

    /// A reader at the start of a stream.
    public init() {}

    /// The samples that the next bytes complete.
    public mutating func read(_ bytes: some Collection<UInt8>) -> [Float] {
        var samples: [Float] = []
        samples.reserveCapacity((bytes.count + 1) / 2)
        for byte in bytes {
            if let low {
                samples.append(PCM16.float(Int16(bitPattern: UInt16(byte) << 8 | UInt16(low))))
                self.low = nil
            } else {
                low = byte
            }
        }
        return samples
    }
}
