import Encodec

/// One run of music that is made in windows: which of its tokens are certain, what the next window begins with, and where
/// two windows meet. A value without model or clock; the codebooks come in as a distance between frames.
///
/// Without a fade the next window goes on behind the last token of the one before. With a fade it makes the last frames of
/// that anew: those are held back until both versions are there, and the piece passes over from one to the other at the
/// frame at which they lie nearest to each other.
struct MusicWindows {
    private let window: MusicWindow
    private let levels: Int
    /// How far apart the frames of two versions are: one number for each frame.
    private let distances: ([Int32], [Int32]) throws -> [Float]

    /// The tokens of the window that is made, with those that it began with.
    private var current: [Int32] = []
    /// Tokens at the window's end that may still be exchanged for the next window's.
    private var held: [Int32] = []
    /// What the window before has of the frames that this one makes anew; nil when it does not.
    private var old: [Int32]?
    /// Tokens that were returned.
    private var told = 0
    /// The first frame after each place at which two windows meet.
    private(set) var joins: [Int] = []

    init(
        _ window: MusicWindow, levels: Int, distances: @escaping ([Int32], [Int32]) throws -> [Float]
    ) {
        (self.window, self.levels, self.distances) = (window, levels, distances)
    }

    /// Whether the window has all of its frames.
    var isFull: Bool { current.count >= window.frames * levels }

    /// Takes the run's next token; returns the tokens that are certain now.
    mutating func append(_ id: Int32) throws -> [Int32] {
        current.append(id)
        if let old {
            guard current.count == window.overlap * levels else { return [] }
            self.old = nil
            return tell(try joined(old, Array(current.suffix(old.count))))
        }
        if current.count > (window.frames - window.fade) * levels {
            held.append(id)
            return []
        }
        return tell([id])
    }

    /// Begins the next window: returns the tokens that it sees, which are the last ones so far.
    mutating func next() -> [Int32] {
        precondition(isFull)
        current = Array(current.suffix(window.overlap * levels).dropLast(window.fade * levels))
        if window.fade > 0 {
            (old, held) = (held, [])
        } else {
            joins.append(told / levels)
        }
        return current
    }

    /// The run is over: returns what was held back. A version that was not made to its end is not used.
    mutating func finish() -> [Int32] {
        defer { (old, held) = (nil, []) }
        return tell(old ?? held)
    }

    private mutating func tell(_ ids: [Int32]) -> [Int32] {
        told += ids.count
        return ids
    }

    /// Some frames of the old version, at least one, and behind them those of the new.
    private mutating func joined(_ old: [Int32], _ new: [Int32]) throws -> [Int32] {
        let frame = Self.join(try distances(old, new))
        joins.append(told / levels + frame)
        return Array(old[..<(frame * levels)] + new[(frame * levels)...])
    }

    /// How many frames the old version keeps: the first place at which the frames on both of its sides differ the least
    /// between the versions. At least one, else the fade would be none.
    static func join(_ distances: [Float]) -> Int {
        let sums = distances.indices.map { distances[$0] + distances[min($0 + 1, distances.count - 1)] }
        let place = sums.indices.min { sums[$0] < sums[$1] }
        return (place ?? -1) + 1
    }
}

extension Engine {
    /// How far apart two versions of a piece are, frame by frame.
    func musicDistances(_ a: [Int32], _ b: [Int32]) throws -> [Float] {
        guard let encodec, let music, let block = vocabulary.music else { throw MusicUnavailable() }
        func codes(_ ids: [Int32]) -> [[Int32]] { music.codes(ids.compactMap { block.code(of: $0) }) }
        return try encodec.distances(codes(a), codes(b))
    }
}
