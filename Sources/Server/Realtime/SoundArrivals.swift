/// When which sample came in, for as long ago as a turn's end is noticed late.
struct SoundArrivals {
    private var entries: [(end: Int, instant: ContinuousClock.Instant)] = []
    /// 20 ms packets of half a minute; what came earlier is forgotten.
    private static let limit = 1500

    /// Samples up to number `end` (of all sound) had come in at `instant`.
    mutating func note(_ end: Int, at instant: ContinuousClock.Instant) {
        if entries.count >= 2 * Self.limit { entries.removeFirst(Self.limit) }
        entries.append((end, instant))
    }

    /// When the sample before number `position` came in; nil when that was too long ago or has not been yet.
    func instant(of position: Int) -> ContinuousClock.Instant? {
        guard let first = entries.first, position > 0, first.end < position || entries.count < Self.limit else {
            return nil
        }
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].end < position { low = middle + 1 } else { high = middle }
        }
        return low < entries.count ? entries[low].instant : nil
    }
}
