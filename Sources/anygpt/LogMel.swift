import Foundation

/// Log-mel spectra of a sound: what two moments of it sound like, as numbers that can be compared.
struct LogMel {
    /// Bands from 0 to half the rate.
    static let bands = 64
    private static let size = 2048
    private static let floor: Float = 1e-10

    /// `[frames][bands]`, in decibels.
    let frames: [[Float]]

    /// The spectra of Hann windows of 2048 samples, `hop` apart; frame t is centred at sample t · hop.
    init(_ samples: [Float], sampleRate: Int, hop: Int) {
        let filters = Self.filters(sampleRate)
        let window = (0..<Self.size).map { 0.5 - 0.5 * cosf(2 * .pi * Float($0) / Float(Self.size)) }
        frames = (0..<max(0, samples.count / hop)).map { frame in
            let start = frame * hop - Self.size / 2
            let piece = window.indices.map { index in
                samples.indices.contains(start + index) ? samples[start + index] * window[index] : 0
            }
            let power = Self.power(piece)
            return filters.map { filter in
                10 * log10f(filter.reduce(Self.floor) { $0 + power[$1.bin] * $1.weight })
            }
        }
    }

    /// The root mean square of the difference between two frames, in decibels.
    func distance(_ a: Int, _ b: Int) -> Float {
        let squares = zip(frames[a], frames[b]).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (squares / Float(Self.bands)).squareRoot()
    }

    /// Triangles on the mel scale, as the bins that they weigh.
    private static func filters(_ sampleRate: Int) -> [[(bin: Int, weight: Float)]] {
        func mel(_ hertz: Float) -> Float { 2595 * log10f(1 + hertz / 700) }
        func hertz(_ mel: Float) -> Float { 700 * (powf(10, mel / 2595) - 1) }
        let top = mel(Float(sampleRate) / 2)
        let edges = (0..<bands + 2).map { hertz(top * Float($0) / Float(bands + 1)) }
        return (0..<bands).map { band in
            let (low, middle, high) = (edges[band], edges[band + 1], edges[band + 2])
            let weights = (0...size / 2).compactMap { bin -> (bin: Int, weight: Float)? in
                let frequency = Float(bin) * Float(sampleRate) / Float(size)
                let weight = min((frequency - low) / (middle - low), (high - frequency) / (high - middle))
                return weight > 0 ? (bin, weight) : nil
            }
            guard weights.isEmpty else { return weights }
            // The lowest bands are narrower than a bin: they take the nearest.
            let nearest = Int((middle * Float(size) / Float(sampleRate)).rounded())
            return [(bin: nearest, weight: Float(1))]
        }
    }

    /// The power spectrum of `size` samples: a radix-2 transform.
    private static func power(_ samples: [Float]) -> [Float] {
        var (real, imaginary) = (samples, [Float](repeating: 0, count: size))
        var target = 0
        for index in 1..<size {
            var bit = size >> 1
            while target & bit != 0 {
                target ^= bit
                bit >>= 1
            }
            target |= bit
            if index < target { real.swapAt(index, target) }
        }
        var length = 2
        while length <= size {
            let turn = -2 * Float.pi / Float(length)
            for offset in 0..<length / 2 {
                let (cosine, sine) = (cosf(turn * Float(offset)), sinf(turn * Float(offset)))
                for start in stride(from: offset, to: size, by: length) {
                    let other = start + length / 2
                    let (x, y) = (
                        real[other] * cosine - imaginary[other] * sine, real[other] * sine + imaginary[other] * cosine
                    )
                    (real[other], imaginary[other]) = (real[start] - x, imaginary[start] - y)
                    (real[start], imaginary[start]) = (real[start] + x, imaginary[start] + y)
                }
            }
            length *= 2
        }
        return (0...size / 2).map { real[$0] * real[$0] + imaginary[$0] * imaginary[$0] }
    }
}
