/// Token ids of a sequence: `[frames, levels]`, row-major.
///
/// Two widths are in use: 8 levels as SpeechTokenizer codes speech (level 0 semantic, 1–7 acoustic), and the 7 acoustic
/// ones alone, which are what SoundStorm fills in.
public struct TokenGrid: Sendable, Equatable {
    /// Ids of each frame.
    public let levels: Int
    /// The ids, frame by frame.
    public private(set) var values: [Int]

    /// The number of frames.
    public var frames: Int { values.count / levels }

    /// A grid of these ids, frame by frame; their number must be a multiple of `levels`.
    public init(levels: Int, values: [Int] = []) {
        precondition(levels > 0 && values.count.isMultiple(of: levels), "\(values.count) ids for \(levels) levels")
        self.levels = levels
        self.values = values
    }

    /// A grid of one id.
    public init(frames: Int, levels: Int, repeating id: Int) {
        self.init(levels: levels, values: Array(repeating: id, count: frames * levels))
    }

    /// One id.
    public subscript(frame: Int, level: Int) -> Int {
        get { values[frame * levels + level] }
        set { values[frame * levels + level] = newValue }
    }

    /// A range of frames.
    public subscript(frames range: Range<Int>) -> TokenGrid {
        TokenGrid(levels: levels, values: Array(values[range.lowerBound * levels..<range.upperBound * levels]))
    }

    /// The last frames, at most `count`.
    public func suffix(_ count: Int) -> TokenGrid { self[frames: max(frames - count, 0)..<frames] }

    /// Puts the frames of another grid of the same width behind these.
    public mutating func append(_ other: TokenGrid) {
        precondition(other.levels == levels, "\(other.levels) levels behind \(levels)")
        values += other.values
    }

    /// Throws unless every id of a level lies in that level's range.
    func require(_ operation: String, _ subject: String, below limit: (_ level: Int) -> Int) throws(SoundStormError) {
        for frame in 0..<frames {
            for level in 0..<levels where self[frame, level] < 0 || self[frame, level] >= limit(level) {
                throw SoundStormError(
                    operation, subject,
                    "frame \(frame) has id \(self[frame, level]) in level \(level), allowed are 0..<\(limit(level))")
            }
        }
    }
}
