/// A tensor's name, or a pattern for several: `*` stands for any text within one component of a name, `**` for any text.
///
///     "quantizer.vq.layers.*._codebook.cluster_size"    "**.rotary_emb.inv_freq"
public struct TensorPattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The pattern as it was written.
    public let description: String

    /// A pattern, or a name, which matches itself.
    public init(_ pattern: String) {
        description = pattern
    }

    /// A pattern, or a name, which matches itself.
    public init(stringLiteral pattern: String) {
        description = pattern
    }

    /// Whether a full name is one of those that the pattern stands for.
    public func matches(_ name: String) -> Bool {
        // All places in the pattern at once, so that no pattern takes longer than its length times the name's.
        let pattern = Array(description.utf8)
        let text = Array(name.utf8)
        let star = UInt8(ascii: "*")
        var reachable = Set([0])
        /// The places in the pattern that can be reached without reading text: stars match nothing too.
        func closed(_ places: Set<Int>) -> Set<Int> {
            var all = places
            for place in places {
                var next = place
                while next < pattern.count, pattern[next] == star {
                    next += 1
                    all.insert(next)
                }
            }
            return all
        }
        reachable = closed(reachable)
        for byte in text {
            var next: Set<Int> = []
            for place in reachable where place < pattern.count {
                if pattern[place] != star {
                    if pattern[place] == byte { next.insert(place + 1) }
                    continue
                }
                let isDouble =
                    place + 1 < pattern.count && pattern[place + 1] == star
                    || place > 0 && pattern[place - 1] == star
                if isDouble || byte != UInt8(ascii: ".") { next.insert(place) }
            }
            reachable = closed(next)
            if reachable.isEmpty { return false }
        }
        return reachable.contains(pattern.count)
    }
}
