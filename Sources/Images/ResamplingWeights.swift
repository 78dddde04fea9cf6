/// What each pixel along one axis is a sum of: neighbouring pixels of the source, with weights in fixed point.
struct ResamplingWeights {
    /// Pixels of the result.
    let count: Int
    /// The most pixels of the source that one is made of.
    let taps: Int
    private var firsts: [Int] = []
    private var counts: [Int] = []
    /// `[count, taps]`.
    private var weights: [Int32]

    /// Bits behind the point: what 32 bits leave for a sum of 8-bit values with weights whose sum is below 2.
    private static let precision = 32 - 8 - 2
    /// One half: added before the bits behind the point are cut off, it rounds.
    static let half = Int32(1) << (precision - 1)

    /// A sum in fixed point as a pixel.
    static func byte(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> precision) }

    init(from size: Int, to count: Int) {
        self.count = count
        let scale = Double(size) / Double(count)
        // Where a picture shrinks, the cubic covers as many pixels as fall together; where it grows, four.
        let stretch = max(scale, 1)
        let support = 2 * stretch
        taps = Int(support.rounded(.up)) * 2 + 1
        weights = [Int32](repeating: 0, count: count * taps)
        for place in 0..<count {
            let center = (Double(place) + 0.5) * scale
            let first = max(0, Int(center - support + 0.5))
            let end = min(size, Int(center + support + 0.5))
            let values = (first..<end).map { Self.cubic((Double($0) - center + 0.5) * (1 / stretch)) }
            let sum = values.reduce(0, +)
            firsts.append(first)
            counts.append(values.count)
            for (tap, value) in values.enumerated() {
                let weight = (sum == 0 ? value : value / sum) * Double(1 << Self.precision)
                weights[place * taps + tap] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
            }
        }
    }

    /// The first source pixel of a pixel, and the weights from there on.
    subscript(place: Int) -> (first: Int, weights: ArraySlice<Int32>) {
        (firsts[place], weights[(place * taps)..<(place * taps + counts[place])])
    }

    /// R. Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -0.5.
    private static func cubic(_ distance: Double) -> Double {
        let (x, a) = (abs(distance), -0.5)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }
}
