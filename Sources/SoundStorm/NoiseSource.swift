/// The random numbers of a generation.
///
/// Sampling draws one number for each position (frame · levels + level, a prompt's frames first) and code, in calls that
/// are counted from 0. A number is asked for by its place, perhaps on several threads, and only where it can matter: a
/// source gives the same number for the same place, whatever else it was asked.
public protocol NoiseSource: Sendable {
    /// Writes numbers of a uniform distribution over 0...1, one for each code of `position` in call number `call`.
    func uniforms(call: Int, position: Int, into numbers: UnsafeMutableBufferPointer<Float>)

    /// Throws `SoundStormError` unless there are numbers for this many positions and codes.
    func require(positions: Int, codes: Int) throws(SoundStormError)
}

/// Numbers hashed from a seed and their place: without limit, and the same on every machine.
public struct SeededNoise: NoiseSource {
    private let seed: UInt64

    /// The same seed gives the same numbers.
    public init(seed: UInt64) { self.seed = seed }

    /// 24 random bits each, strictly between 0 and 1.
    public func uniforms(call: Int, position: Int, into numbers: UnsafeMutableBufferPointer<Float>) {
        let place = Self.mixed(Self.mixed(Self.mixed(seed) ^ UInt64(call)) ^ UInt64(position))
        for code in numbers.indices {
            let bits = Self.mixed(place &+ UInt64(code) &* Self.goldenRatio)
            numbers[code] = (Float(bits >> 41) + 0.5) * 0x1p-23
        }
    }

    /// Every place has numbers.
    public func require(positions: Int, codes: Int) {}

    private static let goldenRatio: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The output function of SplitMix64 (Steele, Lea, Flood 2014).
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ goldenRatio
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Numbers that were recorded with a reference: `[calls, positions, codes]`, 16 bits each. Call number c uses slab
/// c mod `calls`.
public struct RecordedNoise: NoiseSource {
    private let calls: Int
    private let positions: Int
    private let codes: Int
    private let values: [UInt16]

    /// Throws `SoundStormError` when the shape is not `[calls, positions, codes]`, or not that of the values.
    public init(_ values: [UInt16], shape: [Int]) throws(SoundStormError) {
        guard shape.count == 3, shape.allSatisfy({ $0 > 0 }),
            // The count bounds every extent, so that the product cannot overflow.
            shape.allSatisfy({ $0 <= values.count && $0 < 1 << 20 }), shape.reduce(1, *) == values.count
        else { throw SoundStormError("use", "recorded noise", "\(values.count) values in shape \(shape)") }
        (calls, positions, codes) = (shape[0], shape[1], shape[2])
        self.values = values
    }

    /// (k + ½) / 65,536 for a recorded k.
    public func uniforms(call: Int, position: Int, into numbers: UnsafeMutableBufferPointer<Float>) {
        let start = ((call % calls) * positions + position) * codes
        for code in numbers.indices { numbers[code] = (Float(values[start + code]) + 0.5) / 65_536 }
    }

    /// Throws when the recording has fewer positions, or another number of codes.
    public func require(positions: Int, codes: Int) throws(SoundStormError) {
        guard positions <= self.positions, codes == self.codes else {
            throw SoundStormError(
                "use", "recorded noise",
                "it has \(self.positions) positions of \(self.codes) codes, needed are \(positions) of \(codes)")
        }
    }
}
