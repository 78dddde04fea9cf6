/// The added tokens as a trie over unicode scalars, and the splitting of a text along them.
struct TokenTrie {
    /// (parent node, scalar) -> node, one flat table: a scalar takes 21 bits.
    private var children: [UInt64: Int32] = [:]
    /// Per node the id of the token that ends there, -1 for none. Node 0 is the root.
    private var tokens: [Int32] = [-1]

    private func key(_ node: Int32, _ scalar: Unicode.Scalar) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 21 | UInt64(scalar.value)
    }

    private func child(of node: Int32, _ scalar: Unicode.Scalar) -> Int32? {
        children[key(node, scalar)]
    }

    private func endsToken(_ node: Int32) -> Bool {
        tokens[Int(node)] >= 0
    }

    /// Adds a token; an empty string is no token.
    mutating func insert(_ token: some Sequence<Unicode.Scalar>, id: Int32) {
        var node: Int32 = 0
        for scalar in token {
            if let known = child(of: node, scalar) {
                node = known
            } else {
                let new = Int32(tokens.count)
                children[key(node, scalar)] = new
                tokens.append(-1)
                node = new
            }
        }
        if node != 0 { tokens[Int(node)] = id }
    }

    /// The id of the token that these scalars spell, nil when they spell none.
    func id(of token: some Sequence<Unicode.Scalar>) -> Int32? {
        var node: Int32 = 0
        for scalar in token {
            guard let next = child(of: node, scalar) else { return nil }
            node = next
        }
        return endsToken(node) ? tokens[Int(node)] : nil
    }

    /// Cuts a text into its added tokens and what stands between them, in order and without empty parts.
    ///
    /// One pass: all partial matches are kept, and the first token that completes decides, unless a partial match that
    /// began no later completes when it is followed further; the longest token at that start is taken. For tokens
    /// that overlap in unusual ways this is not leftmost-longest: it does what `Trie.split` of transformers 4.34.1 does
    /// (which looks past a failed partial match one scalar too far), so that prompts come out as in training.
    func split(_ text: [Unicode.Scalar]) -> [Range<Int>] {
        var cuts: [Int] = []
        var partial: [(start: Int, node: Int32)] = []
        var resume = 0
        for (position, scalar) in text.enumerated() where position >= resume {
            var failed = false
            var match: Range<Int>?
            for index in partial.indices {
                let node = partial[index].node
                if endsToken(node) {
                    match = longestMatch(among: partial[...index], in: text, at: position)
                    break
                } else if let next = child(of: node, scalar) {
                    partial[index].node = next
                } else {
                    partial[index].node = ~node
                    failed = true
                }
            }
            if let match {
                cuts += [match.lowerBound, match.upperBound]
                resume = match.upperBound
                partial.removeAll(keepingCapacity: true)
            } else if failed {
                partial.removeAll { $0.node < 0 }
            }
            if position >= resume, let node = child(of: 0, scalar) {
                partial.append((position, node))
            }
        }
        if let last = partial.first(where: { endsToken($0.node) }) {
            cuts += [last.start, text.count]
        }
        return parts(of: text.count, cut: cuts)
    }

    /// The longest token of the earliest partial match that has one. The last of `partial` has one that ends right
    /// before `position`; earlier ones have taken the scalar there, or (complemented node) failed on it.
    private func longestMatch(
        among partial: ArraySlice<(start: Int, node: Int32)>, in text: [Unicode.Scalar], at position: Int
    ) -> Range<Int> {
        for (index, candidate) in zip(partial.indices, partial) {
            var node = candidate.node < 0 ? ~candidate.node : candidate.node
            var reached = index == partial.endIndex - 1 ? position : position + 1
            var end = endsToken(node) ? reached : nil
            while reached < text.count, let next = child(of: node, text[reached]) {
                node = next
                reached += 1
                if endsToken(node) { end = reached }
            }
            if let end { return candidate.start..<end }
        }
        preconditionFailure("the last partial match is complete")
    }

    private func parts(of count: Int, cut: [Int]) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0
        for end in cut + [count] where end > start {
            parts.append(start..<end)
            start = end
        }
        return parts
    }
}
