/// What came of one comparison: a row of the report.
public struct Row: Sendable, Equatable {
    /// How it went.
    public enum Outcome: String, Sendable, Encodable {
        /// The rule is kept.
        case passed = "pass"
        /// It is not, or there was nothing to compare.
        case failed = "fail"
        /// The rule asks for no comparison.
        case notCompared = "not compared"
    }

    /// The tensor's name; with words in brackets, a check beyond those of `expected.safetensors`.
    public var name: String
    /// The expected tensor's extents; nil when there is none.
    public var shape: [Int]?
    /// The rule in words.
    public var rule: String
    /// The largest absolute difference; nil when nothing was compared. NaN when a NaN was met.
    public var largestError: Double?
    /// The largest difference as a part of the largest expected magnitude; where the rule is relative, the largest of the
    /// elements' own.
    public var relativeError: Double?
    /// The share of equal elements, for integers and exact comparisons.
    public var equalShare: Double?
    /// How it went.
    public var outcome: Outcome
    /// What a person wants to know beside the numbers: the first difference, what was excused and why.
    public var note: String?

    /// A row; what is nil was not measured.
    public init(
        _ name: String, shape: [Int]? = nil, rule: String, largestError: Double? = nil, relativeError: Double? = nil,
        equalShare: Double? = nil, outcome: Outcome, note: String? = nil
    ) {
        self.name = name
        self.shape = shape
        self.rule = rule
        self.largestError = largestError
        self.relativeError = relativeError
        self.equalShare = equalShare
        self.outcome = outcome
        self.note = note
    }
}

extension Row: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name, shape, rule
        case largestError = "largest_error"
        case relativeError = "relative_error"
        case equalShare = "share_equal"
        case outcome = "result"
        case note
    }
}

/// What came of a case.
public struct CaseReport: Sendable, Equatable {
    /// The case's folder.
    public var folder: String
    /// Its kind.
    public var kind: String
    /// A row for each expected tensor, and those for checks beyond them, in natural order of their names.
    public var rows: [Row]
    /// How long it took.
    public var seconds: Double

    /// A report.
    public init(folder: String, kind: String, rows: [Row], seconds: Double) {
        self.folder = folder
        self.kind = kind
        self.rows = rows.sorted { isBefore($0.name, $1.name) }
        self.seconds = seconds
    }

    /// The number of rows with this outcome.
    public func count(_ outcome: Row.Outcome) -> Int { rows.count { $0.outcome == outcome } }

    /// Whether nothing failed and something was compared.
    public var succeeded: Bool { count(.failed) == 0 && count(.passed) > 0 }
}

/// Whether a name comes before another when digits are read as numbers: layer 2 before layer 10.
func isBefore(_ a: String, _ b: String) -> Bool {
    var (left, right) = (Array(a.utf8)[...], Array(b.utf8)[...])
    func takeNumber(_ text: inout ArraySlice<UInt8>) -> [UInt8] {
        let digits = text.prefix { (48...57).contains($0) }
        text = text.dropFirst(digits.count)
        return Array(digits.drop { $0 == 48 })
    }
    while let first = left.first, let second = right.first {
        if (48...57).contains(first), (48...57).contains(second) {
            let (one, two) = (takeNumber(&left), takeNumber(&right))
            if one.count != two.count { return one.count < two.count }
            if one != two { return one.lexicographicallyPrecedes(two) }
        } else {
            if first != second { return first < second }
            left.removeFirst()
            right.removeFirst()
        }
    }
    return left.isEmpty && !right.isEmpty || left.isEmpty == right.isEmpty && a.utf8.lexicographicallyPrecedes(b.utf8)
}
