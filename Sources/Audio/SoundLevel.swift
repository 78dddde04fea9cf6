internal import Glibc

/// The mean power of samples in dB, where a full-scale square wave is 0 and digital silence is `silence`.
enum SoundLevel {
    /// The level of digital silence: what rounding to 16 bits would leave.
    static let silence: Float = -100

    /// The level of 16-bit samples.
    static func of(_ samples: [Int16]) -> Float {
        let energy = samples.reduce(0) { $0 + Int($1) * Int($1) }
        guard energy > 0 else { return silence }
        return max(silence, 10 * log10f(Float(energy) / Float(samples.count) / (32_768 * 32_768)))
    }
}

/// The level of the background: the lowest of the last two seconds. Speech has gaps in that time, a fan or a tone has not.
struct BackgroundLevel {
    private static let blockFrames = 25
    private static let blocks = 8

    /// The lowest level of each of the last quarters of a second; the last one is not full.
    private var lowest: [Float] = []
    private var framesInBlock = 0

    /// Whether it has listened for a second. Before, the lowest level may be that of speech that began with the stream.
    var isKnown: Bool { lowest.count > 4 }

    /// The lowest level heard lately.
    private(set) var level = Float.infinity

    /// Takes the level of the next 10 ms.
    mutating func hear(_ frame: Float) {
        if framesInBlock == 0 {
            lowest.append(frame)
            if lowest.count > Self.blocks { lowest.removeFirst() }
        } else {
            lowest[lowest.count - 1] = min(lowest[lowest.count - 1], frame)
        }
        framesInBlock = (framesInBlock + 1) % Self.blockFrames
        level = lowest.reduce(.infinity, min)
    }
}

/// Whether the level has stood still for 100 ms, which a tone or a hum does and a voice does not.
struct Steadiness {
    private static let frames = 10
    private static let range: Float = 1

    private var recent: [Float] = []

    /// The levels of the last 100 ms lie within 1 dB.
    var isSteady: Bool {
        guard recent.count == Self.frames, let low = recent.min(), let high = recent.max() else { return false }
        return high - low < Self.range
    }

    /// Takes the level of the next 10 ms.
    mutating func hear(_ frame: Float) {
        if recent.count == Self.frames { recent.removeFirst() }
        recent.append(frame)
    }
}
