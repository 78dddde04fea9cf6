/// What somebody who misspelt a key may have meant.
enum Suggestion {
    /// The known name nearest to `name`, both with their tables: the same key in another table, or one that few edits
    /// lead to; nil when none is near.
    static func nearest(to name: [String], among known: [[String]]) -> [String]? {
        let elsewhere = known.filter { $0.last == name.last }
        if elsewhere.count == 1 { return elsewhere[0] }
        let joined = name.joined(separator: ".")
        let distances = known.map { ($0, distance(joined, $0.joined(separator: "."))) }
        guard let best = distances.min(by: { $0.1 < $1.1 }) else { return nil }
        let longest = max(name.last?.count ?? 0, best.0.last?.count ?? 0)
        return best.1 <= max(1, longest / 3) ? best.0 : nil
    }

    /// How many letters must be put in, taken out, replaced or swapped with their neighbour to turn one text into the
    /// other (Damerau and Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var rows = [Array(0...right.count)]
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                let replaced = rows[i][j] + (left[i] == right[j] ? 0 : 1)
                var best = min(rows[i][j + 1] + 1, row[j] + 1, replaced)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
