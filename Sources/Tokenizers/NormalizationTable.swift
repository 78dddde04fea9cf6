/// Checks `precompiled_charsmap`, SentencePiece's normalization rules, before libsentencepiece walks it: the library
/// follows the offsets in it without looking at its end.
///
/// Layout: the size in bytes (32 bits, little endian) of a double-array trie (Darts-clone: units of 32 bits), the trie,
/// then the replacements, each ended by a zero byte. A trie's values are offsets into the replacements. LLaMA's models
/// have none at all ("identity").
enum NormalizationTable {
    static func check(_ table: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) {
        if table.isEmpty { return }
        guard table.count >= 4 else { throw ProtobufReader.Malformed("normalization table cut off") }
        let size = Int(word(table, 0))
        let unitCount = size / 4
        guard size % 4 == 0, unitCount > 0, size <= table.count - 4 else {
            throw ProtobufReader.Malformed("normalization table claims a trie of \(size) bytes")
        }
        let replacements = table.dropFirst(4 + size)
        guard replacements.last == 0 else {
            throw ProtobufReader.Malformed("normalization table's replacements are not terminated")
        }
        var visited = [Bool](repeating: false, count: unitCount)
        var open = [0]
        visited[0] = true
        while let position = open.popLast() {
            let unit = word(table, 4 + 4 * position)
            let base = position ^ Int((unit >> 10) << ((unit & 0x200) >> 6))
            guard base | 0xFF < unitCount else {
                throw ProtobufReader.Malformed("normalization table's trie leads out of the table")
            }
            if unit & 0x100 != 0 {
                let value = Int(word(table, 4 + 4 * base) & 0x7FFF_FFFF)
                guard value < replacements.count else {
                    throw ProtobufReader.Malformed("normalization table points behind its replacements")
                }
            }
            for label in 1...0xFF {
                let child = base ^ label
                if word(table, 4 + 4 * child) & 0x8000_00FF == UInt32(label), !visited[child] {
                    visited[child] = true
                    open.append(child)
                }
            }
        }
    }

    private static func word(_ table: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
        let start = table.startIndex + offset
        return UInt32(table[start]) | UInt32(table[start + 1]) << 8 | UInt32(table[start + 2]) << 16
            | UInt32(table[start + 3]) << 24
    }
}
