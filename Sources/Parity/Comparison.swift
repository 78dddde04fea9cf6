import Checkpoints

/// Holds what was computed against what was expected. Pure: numbers in, a row out.
enum Comparison {
    /// How far each expected code is from being another one.
    struct Margins {
        /// Those that the case records: of the first elements in row-major order, which may be all.
        var recorded: [Double] = []
        /// Measures the one of an element that is not recorded and differs; nil when it cannot.
        var measured: ((_ index: Int) -> Double?)?
    }

    /// Compares tensors by a rule.
    ///
    /// - Parameter bits: whether `exact` means the same number type and the same bits, NaNs included: for files that
    ///   are read, not numbers that are computed.
    static func row(
        _ name: String, _ rule: Rule, expected: TypedArray, actual: TypedArray, margins: Margins = Margins(),
        bits: Bool = false
    ) -> Row {
        var row = Row(name, shape: expected.shape, rule: rule.description, outcome: .failed)
        guard rule.measure != .info else {
            row.outcome = .notCompared
            return row
        }
        guard actual.shape == expected.shape else {
            row.note = "the shape is \(actual.shape), expected \(expected.shape)"
            return row
        }
        guard let range = compared(rule.level, expected.shape) else {
            row.note = "level \(rule.level ?? 0) is not one of shape \(expected.shape)"
            return row
        }
        let pairs = Pairs(expected: expected, actual: actual, range: range)
        let tally = pairs.tally()
        row.largestError = tally.largest
        if case .relative = rule.measure {
            row.relativeError = tally.largestRatio
        } else {
            row.relativeError = tally.largest == 0 ? 0 : tally.largest / tally.scale
        }
        let share = range.isEmpty ? 1 : Double(tally.equal) / Double(range.count)
        if pairs.areIntegers || rule.measure == .exact { row.equalShare = share }
        let isKept: Bool
        switch rule.measure {
        case .exact where bits:
            isKept = expected == actual
            if !isKept, tally.equal == range.count {
                row.note = "\(actual.dtype.rawValue) bits differ from the expected \(expected.dtype.rawValue) bits"
            }
        case .exact: isKept = tally.equal == range.count
        case .absolute(let limit): isKept = tally.largest <= limit
        case .relative(let limit): isKept = tally.largestRatio <= limit
        case .levels(let levels, let least): isKept = tally.largest <= Double(levels) && share >= least
        case .exactWhere(_, let atLeast, let cascade):
            let verdict = excuse(pairs, margins, atLeast: atLeast, cascade: cascade, shape: expected.shape)
            isKept = verdict.firstUnexcused == nil && !tally.largest.isNaN
            row.note = verdict.note
            if let index = verdict.firstUnexcused { row.note = pairs.difference(at: index, expected.shape) }
        case .info: isKept = true
        }
        row.outcome = isKept ? .passed : .failed
        if !isKept, row.note == nil {
            let index = pairs.areIntegers || rule.measure == .exact ? tally.firstUnequal : tally.worst
            row.note = index.map { pairs.difference(at: $0, expected.shape) }
        }
        return row
    }

    /// The elements that a rule looks at; nil when it names a level that is not there.
    private static func compared(_ level: Int?, _ shape: [Int]) -> Range<Int>? {
        let count = shape.reduce(1, *)
        guard let level else { return 0..<count }
        guard let levels = shape.first, level < levels else { return nil }
        return (count / levels * level)..<(count / levels * (level + 1))
    }

    private struct Verdict {
        var firstUnexcused: Int?
        var note: String?
    }

    private static func excuse(
        _ pairs: Pairs, _ margins: Margins, atLeast: Double, cascade: Bool, shape: [Int]
    ) -> Verdict {
        // One number for each element is one level.
        let width = shape.count > 1 ? shape.dropFirst().reduce(1, *) : shape.reduce(1, *)
        var excusedFrames = Set<Int>()
        var (byMargin, behind) = (0, 0)
        for index in pairs.range where !pairs.areEqual(index) {
            let frame = index % width
            if cascade, excusedFrames.contains(frame) {
                behind += 1
                continue
            }
            let margin = index < margins.recorded.count ? margins.recorded[index] : margins.measured?(index)
            guard let margin, margin < atLeast else { return Verdict(firstUnexcused: index) }
            excusedFrames.insert(frame)
            byMargin += 1
        }
        guard byMargin > 0 else { return Verdict() }
        return Verdict(note: "\(byMargin) excused by the margin" + (behind > 0 ? ", \(behind) behind them" : ""))
    }
}

/// Two tensors of the same shape, element by element.
private struct Pairs {
    let range: Range<Int>
    /// Whether both hold integers, which are compared as such: a double has only 53 bits.
    let areIntegers: Bool
    private let integers: (expected: [Int], actual: [Int])
    private let numbers: (expected: [Double], actual: [Double])

    init(expected: TypedArray, actual: TypedArray, range: Range<Int>) {
        self.range = range
        if let one = expected.integers, let two = actual.integers {
            areIntegers = true
            integers = (one, two)
        } else {
            areIntegers = false
            integers = ([], [])
        }
        numbers = (expected.doubles, actual.doubles)
    }

    func areEqual(_ index: Int) -> Bool {
        areIntegers
            ? integers.expected[index] == integers.actual[index] : numbers.expected[index] == numbers.actual[index]
    }

    /// What is known after looking at every element.
    struct Tally {
        var equal = 0
        /// The largest difference; NaN once one was met.
        var largest = 0.0
        var largestRatio = 0.0
        /// The largest expected magnitude.
        var scale = 0.0
        var firstUnequal: Int?
        var worst: Int?
    }

    func tally() -> Tally {
        var tally = Tally()
        for index in range {
            let (expected, actual) = (numbers.expected[index], numbers.actual[index])
            if abs(expected) > tally.scale, expected.isFinite { tally.scale = abs(expected) }
            // Equal infinities have no difference.
            if areEqual(index) {
                tally.equal += 1
                continue
            }
            tally.firstUnequal = tally.firstUnequal ?? index
            let difference = abs(actual - expected)
            if tally.largest.isNaN { continue }
            if !(difference <= tally.largest) {
                tally.largest = difference
                tally.worst = index
            }
            let ratio = difference / abs(expected)
            if !(ratio <= tally.largestRatio), !tally.largestRatio.isNaN { tally.largestRatio = ratio }
        }
        return tally
    }

    /// An element in words.
    func difference(at index: Int, _ shape: [Int]) -> String {
        var place: [Int] = []
        var rest = index
        for extent in shape.reversed() {
            place.insert(rest % extent, at: 0)
            rest /= extent
        }
        let values =
            areIntegers
            ? "\(integers.actual[index]), expected \(integers.expected[index])"
            : "\(numbers.actual[index]), expected \(numbers.expected[index])"
        return "at \(place): \(values)"
    }
}
