/// Telephone audio: one byte a sample on a curve that is nearly logarithmic (ITU-T G.711).
public enum G711: Sendable, CaseIterable {
    /// µ-law, used in North America and Japan; 14 bits of range.
    case muLaw
    /// A-law, used elsewhere; 13 bits of range.
    case aLaw

    /// The samples that the bytes stand for.
    public func samples(_ bytes: some Collection<UInt8>) -> [Float] {
        bytes.map { PCM16.float(int16($0)) }
    }

    /// The bytes that stand for the samples; beyond full scale they saturate.
    public func bytes(_ samples: some Collection<Float>) -> [UInt8] {
        samples.map { byte(PCM16.int16($0)) }
    }

    /// The 16-bit value of a code.
    public func int16(_ byte: UInt8) -> Int16 {
        switch self {
        case .muLaw:
            let code = ~byte
            let exponent = Int16(code >> 4 & 7)
            let magnitude = ((Int16(code & 0x0F) << 3) + Self.muLawBias) << exponent - Self.muLawBias
            return code & 0x80 != 0 ? -magnitude : magnitude
        case .aLaw:
            let code = byte ^ 0x55
            let exponent = Int16(code >> 4 & 7)
            let mantissa = Int16(code & 0x0F) << 4 + 8
            let magnitude = exponent == 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
            return code & 0x80 != 0 ? magnitude : -magnitude
        }
    }

    /// The code of the interval that a 16-bit sample falls into: its value is the nearest, save where the step doubles,
    /// at the start of a segment.
    public func byte(_ sample: Int16) -> UInt8 {
        switch self {
        case .muLaw:
            let magnitude = min(Int(sample.magnitude), 32_635) + Int(Self.muLawBias)
            let exponent = Self.exponent(magnitude >> 7)
            let code = UInt8(exponent << 4 | magnitude >> (exponent + 3) & 0x0F)
            return ~(sample < 0 ? code | 0x80 : code)
        case .aLaw:
            // Steps are open at the lower end on the negative side, so that -1 is the first negative code.
            let magnitude = sample < 0 ? Int(~sample) : Int(sample)
            let exponent = magnitude < 0x100 ? 0 : Self.exponent(magnitude >> 7)
            let code = UInt8(exponent << 4 | magnitude >> max(4, exponent + 3) & 0x0F)
            return (sample < 0 ? code : code | 0x80) ^ 0x55
        }
    }

    /// What is added to a µ-law magnitude so that every segment starts at a power of two.
    private static let muLawBias: Int16 = 0x84

    /// The segment of a magnitude without its low 7 bits: the position of its highest bit.
    private static func exponent(_ high: Int) -> Int {
        max(0, Int.bitWidth - 1 - high.leadingZeroBitCount)
    }
}
