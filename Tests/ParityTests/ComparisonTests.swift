import Checkpoints
import Testing

@testable import Parity

@Suite("Comparison by rules")
struct ComparisonTests {
    private func row(
        _ rule: Rule, _ expected: [Float], _ actual: [Float], shape: [Int]? = nil
    ) -> Row {
        Comparison.row(
            "x", rule, expected: TypedArray(expected, shape: shape ?? [expected.count]),
            actual: TypedArray(actual, shape: shape ?? [actual.count]))
    }

    private func codes(
        _ expected: [[Int]], _ actual: [[Int]], margins: [Double] = [], cascade: Bool = true,
        measured: ((Int) -> Double?)? = nil
    ) -> Row {
        let shape = [expected.count, expected[0].count]
        return Comparison.row(
            "codes", Rule(.exactWhere(tensor: "margin", atLeast: 0.1, cascade: cascade)),
            expected: TypedArray(expected.flatMap { $0 }, shape: shape),
            actual: TypedArray(actual.flatMap { $0 }, shape: shape),
            margins: .init(recorded: margins, measured: measured))
    }

    @Test func absoluteLimitsAreInclusive() {
        #expect(row(.absolute(0.5), [1, 2, -4], [1, 2.5, -4.5]).outcome == .passed)
        let failed = row(.absolute(0.25), [1, 2, -4], [1, 2.125, -4.5])
        #expect(failed.outcome == .failed)
        #expect(failed.largestError == 0.5 && failed.relativeError == 0.125 && failed.equalShare == nil)
        #expect(failed.note == "at [2]: -4.5, expected -4.0")
    }

    @Test func relativeLimitsHoldForEveryElement() {
        #expect(row(Rule(.relative(0.125)), [8, -1, 0], [9, -1.125, 0]).outcome == .passed)
        let failed = row(Rule(.relative(0.125)), [8, -1], [9, -1.25])
        #expect(failed.outcome == .failed && failed.relativeError == 0.25)
        #expect(row(Rule(.relative(1)), [0], [1e-20]).outcome == .failed)
    }

    @Test func exactMeansAll() {
        #expect(row(.exact, [1, 0], [1, -0.0]).outcome == .passed)
        let failed = row(.exact, [1, 2, 3, 4], [1, 2, 3, 5], shape: [2, 2])
        #expect(failed.outcome == .failed && failed.equalShare == 0.75)
        #expect(failed.note == "at [1, 1]: 5.0, expected 4.0")
    }

    @Test func integersAreComparedAsIntegers() {
        let big = 1 << 60
        let row = Comparison.row(
            "x", .exact, expected: TypedArray([big], shape: [1]), actual: TypedArray([big + 1], shape: [1]))
        #expect(row.outcome == .failed)
        #expect(row.note == "at [0]: \(big + 1), expected \(big)")
        let mixed = Comparison.row(
            "x", .exact, expected: TypedArray(dtype: .uint8, shape: [1], bytes: [7]),
            actual: TypedArray([7], shape: [1]))
        #expect(mixed.outcome == .passed)
    }

    @Test func notANumberNeverPasses() {
        for rule in [Rule.exact, .absolute(1e30), Rule(.relative(1e30)), Rule(.levels(255, shareEqual: 0))] {
            for (expected, actual) in [(Float.nan, Float.nan), (1, .nan), (.nan, 1)] {
                let row = row(rule, [0, expected], [0, actual])
                #expect(row.outcome == .failed, "\(rule)")
                #expect(row.largestError?.isNaN == true, "\(rule)")
            }
        }
        let excused = Comparison.row(
            "x", Rule(.exactWhere(tensor: "m", atLeast: 1, cascade: false)),
            expected: TypedArray([Float(1)], shape: [1]), actual: TypedArray([Float.nan], shape: [1]),
            margins: .init(recorded: [0]))
        #expect(excused.outcome == .failed)
    }

    @Test func equalInfinitiesAreEqual() {
        #expect(row(.absolute(1e-6), [-.infinity, 1], [-.infinity, 1]).outcome == .passed)
        #expect(row(.absolute(1e-6), [-.infinity, 1], [0, 1]).outcome == .failed)
        #expect(row(.absolute(.greatestFiniteMagnitude), [.infinity], [-.infinity]).outcome == .failed)
    }

    @Test func shapesMustAgree() {
        let row = Comparison.row(
            "x", .exact, expected: TypedArray([1, 2], shape: [2]), actual: TypedArray([1, 2], shape: [1, 2]))
        #expect(row.outcome == .failed && row.note == "the shape is [1, 2], expected [2]")
        #expect(row.largestError == nil)
    }

    @Test func emptyTensorsAgree() {
        let row = row(.absolute(0), [], [], shape: [0, 4])
        #expect(row.outcome == .passed)
    }

    @Test func oneLevelCanBeAskedFor() {
        func row(_ level: Int, _ measure: Rule.Measure = .exact) -> Row {
            Comparison.row(
                "x", Rule(measure, level: level), expected: TypedArray([1, 2, 3, 4], shape: [2, 2]),
                actual: TypedArray([1, 2, 3, 5], shape: [2, 2]))
        }
        #expect(row(0).outcome == .passed && row(0).equalShare == 1)
        #expect(row(1).outcome == .failed && row(1).note == "at [1, 1]: 5, expected 4")
        #expect(row(2).outcome == .failed && row(2).note == "level 2 is not one of shape [2, 2]")
        #expect(row(1, .absolute(1)).outcome == .passed)
    }

    @Test func levelsCountStepsAndTheShareOfEqualOnes() {
        let expected = TypedArray(dtype: .uint8, shape: [4], bytes: [0, 255, 7, 9])
        func row(_ bytes: [UInt8], _ levels: Int, _ share: Double) -> Row {
            Comparison.row(
                "rgb", Rule(.levels(levels, shareEqual: share)), expected: expected,
                actual: TypedArray(dtype: .uint8, shape: [4], bytes: bytes))
        }
        #expect(row([0, 254, 7, 9], 1, 0.75).outcome == .passed)
        #expect(row([0, 254, 8, 9], 1, 0.75).outcome == .failed)
        #expect(row([0, 253, 7, 9], 1, 0.5).outcome == .failed)
        #expect(row([0, 253, 7, 9], 2, 0.5).outcome == .passed)
    }

    @Test func informationIsNotCompared() {
        #expect(row(Rule(.info), [1], [2]).outcome == .notCompared)
    }

    @Test func smallMarginsExcuseDifferences() {
        #expect(codes([[1, 2]], [[1, 3]], margins: [1, 0.09]).outcome == .passed)
        #expect(codes([[1, 2]], [[1, 3]], margins: [1, 0.1]).outcome == .failed)
        #expect(codes([[1, 2]], [[1, 3]], margins: [0.01, 1]).note == "at [0, 1]: 3, expected 2")
        #expect(codes([[1, 2]], [[1, 3]], margins: [1, .nan]).outcome == .failed)
        #expect(codes([[1, 2]], [[1, 3]]).outcome == .failed, "without a margin nothing is excused")
    }

    @Test func anExcusedDifferenceExcusesWhatIsBehindItInItsFrame() {
        let margins = [0.01, 1, 1, 1, 1, 1]
        let expected = [[1, 2], [3, 4], [5, 6]]
        let excused = codes(expected, [[9, 2], [9, 4], [9, 6]], margins: margins)
        #expect(excused.outcome == .passed && excused.note == "1 excused by the margin, 2 behind them")
        #expect(codes(expected, [[9, 2], [9, 4], [9, 6]], margins: margins, cascade: false).outcome == .failed)
        // Another frame, and a frame whose small margin made no difference, are not excused.
        #expect(codes(expected, [[9, 2], [9, 8], [5, 6]], margins: margins).outcome == .failed)
        #expect(codes(expected, [[1, 2], [9, 4], [5, 6]], margins: margins).outcome == .failed)
    }

    @Test func marginsThatAreNotRecordedAreMeasured() {
        var asked: [Int] = []
        let row = codes([[1, 2], [3, 4]], [[1, 2], [3, 5]], margins: [1, 1]) { index in
            asked.append(index)
            return 0.001
        }
        #expect(row.outcome == .passed && asked == [3])
        #expect(codes([[1, 2], [3, 4]], [[1, 2], [3, 5]], margins: [1, 1]) { _ in 0.2 }.outcome == .failed)
        #expect(codes([[1, 2], [3, 4]], [[1, 2], [3, 5]], margins: [1, 1]) { _ in nil }.outcome == .failed)
        // What is recorded is not measured again.
        #expect(codes([[1, 2], [3, 4]], [[1, 7], [3, 4]], margins: [1, 1]) { _ in 0 }.outcome == .failed)
    }

    @Test func filesAreComparedByTheirBits() {
        let one = TypedArray([Float.nan, -0.0], shape: [2])
        func row(_ other: TypedArray) -> Row {
            Comparison.row("x", .exact, expected: one, actual: other, bits: true)
        }
        #expect(row(one).outcome == .passed)
        #expect(row(TypedArray([Float.nan, 0.0], shape: [2])).outcome == .failed)
        #expect(row(TypedArray(dtype: .int32, shape: [2], bytes: one.bytes)).outcome == .failed)
    }

    @Test func equalScoresAtTheBorderMayFallEitherWay() {
        let out = -Float.infinity
        var scores: [Float] = [3, out, 1, out, 2]
        #expect(BorderTies.align(&scores, with: [3, 1, out, out, 2]))
        #expect(scores == [3, 1, out, out, 2])
        // Not equal, not at the border, not as many: not ties.
        for expected: [Float] in [
            [3, 1.5, out, out, 2], [out, 3, 1, out, 2], [3, 1, out, 1, 2], [3, out, 1, out, 2],
        ] {
            var scores: [Float] = [3, out, 1, out, 2]
            #expect(!BorderTies.align(&scores, with: expected))
            #expect(scores == [3, out, 1, out, 2])
        }
    }
}
