/// A set of token ids as ascending ranges with gaps between them: what may come next, or what is text.
///
/// Cheap to hand around: the ranges are shared, and few.
public struct TokenSet: Sendable, Equatable {
    /// The ids, ascending, neither overlapping nor touching.
    public let ranges: [Range<Int32>]

    /// The set of all ids in some ranges, which may overlap and come in any order.
    public init(_ ranges: [Range<Int32>]) {
        var merged: [Range<Int32>] = []
        for range in ranges.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, last.upperBound >= range.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    /// The set of some ids.
    public init(ids: some Sequence<Int32>) {
        self.init(ids.map { $0..<($0 + 1) })
    }

    /// How many ids there are.
    public var count: Int {
        ranges.reduce(0) { $0 + $1.count }
    }

    /// Whether there are none.
    public var isEmpty: Bool { ranges.isEmpty }

    /// Whether an id is among them.
    public func contains(_ id: Int32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= id { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(id)
    }

    /// The ids of a range that are not among them, ascending.
    public func complement(in range: Range<Int32>) -> [Range<Int32>] {
        var missing: [Range<Int32>] = []
        var start = range.lowerBound
        for found in ranges.map({ $0.clamped(to: range) }) where !found.isEmpty {
            if start < found.lowerBound { missing.append(start..<found.lowerBound) }
            start = found.upperBound
        }
        return start < range.upperBound ? missing + [start..<range.upperBound] : missing
    }

    /// All ids of both.
    public func union(_ other: TokenSet) -> TokenSet {
        TokenSet(ranges + other.ranges)
    }
}
