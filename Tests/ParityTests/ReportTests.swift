import Foundation
import Testing

@testable import Parity

@Suite("Reports")
struct ReportTests {
    static let report = CaseReport(
        folder: "/somewhere/tiny/", kind: "llama-hf",
        rows: [
            Row(
                "layers.10.out", shape: [2, 3], rule: "abs ≤ 0.0001", largestError: 2.5e-6, relativeError: 1e-6,
                outcome: .passed),
            Row("layers.9.out", rule: "exact", equalShare: 0.99999, outcome: .failed, note: "at [7]: 1, expected 2"),
            Row("layers.9.margin", shape: [], rule: "info", outcome: .notCompared),
        ], seconds: 1.25)

    @Test func rowsAreInNaturalOrder() {
        #expect(Self.report.rows.map(\.name) == ["layers.9.margin", "layers.9.out", "layers.10.out"])
        let names = ["a", "a1", "a01", "a2", "a10", "a10b", "a10.x", "b", "ü"]
        for (index, one) in names.enumerated() {
            #expect(!isBefore(one, one))
            for other in names[(index + 1)...] where one != "a10b" {
                #expect(isBefore(one, other) != isBefore(other, one), "\(one), \(other)")
            }
        }
        #expect(isBefore("a2", "a10") && isBefore("a", "a1") && isBefore("prompt0.ids", "prompt0.logits"))
    }

    @Test func tablesAreAlignedAndPlainUnlessAskedOtherwise() {
        let lines = ReportTable().text(Self.report).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines == [
                "tensor           shape   largest  relative    equal  rule          result",
                "layers.9.margin  []            –         –        –  info          not compared",
                "layers.9.out     –             –         –  99.99 %  exact         FAIL",
                "    at [7]: 1, expected 2",
                "layers.10.out    [2, 3]  2.5e-06   1.0e-06        –  abs ≤ 0.0001  pass",
                "tiny (llama-hf): FAIL, 1 passed, 1 failed, 1 not compared, 1.2 s",
            ])
        #expect(ReportTable(isColored: true).text(Self.report).contains("\u{1B}[31mFAIL\u{1B}[0m"))
    }

    @Test func narrowTerminalsGetNarrowTables() {
        var report = Self.report
        report.rows[0].name = String(repeating: "abcdefgh.", count: 20)
        for width in [90, 100, 140] {
            for line in ReportTable(width: width).text(report).split(separator: "\n") {
                #expect(line.count <= width, "\(line)")
            }
        }
    }

    @Test func namesOutOfFilesCannotMoveTheCursor() {
        var report = Self.report
        report.rows[1].name = "a\u{1B}[2J\nb"
        report.rows[1].note = "c\rd"
        let text = ReportTable().text(report)
        #expect(text.contains("a\u{FFFD}[2J\u{FFFD}b") && text.contains("c\u{FFFD}d"))
        #expect(text.split(separator: "\n").count == 6)
    }

    @Test func jsonHoldsEverything() throws {
        var report = Self.report
        report.rows[0].largestError = .nan
        let text = try CaseReport.json([report])
        let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        let first = try #require(parsed?.first)
        #expect(first["failed"] as? Int == 1 && first["succeeded"] as? Bool == false)
        #expect(first["not_compared"] as? Int == 1)
        let rows = try #require(first["rows"] as? [[String: Any]])
        #expect(rows[0]["largest_error"] as? String == "NaN")
        #expect(rows[1]["result"] as? String == "fail" && rows[1]["note"] as? String == "at [7]: 1, expected 2")
        #expect(rows[2]["shape"] as? [Int] == [2, 3])
    }

    @Test func aReportOfNothingIsNoSuccess() {
        let row = Row("a", rule: "info", outcome: .notCompared)
        #expect(!CaseReport(folder: "/x", kind: "chain", rows: [row], seconds: 0).succeeded)
    }

    @Test func rulesReadAsWords() throws {
        func words(_ json: String) throws -> String {
            try Rule(JSONDecoder().decode(JSON.self, from: Data(json.utf8))).description
        }
        #expect(try words(#"{"exact": true, "level": 0}"#) == "exact, level 0")
        #expect(try words(#"{"abs": 1e-4}"#) == "abs ≤ 0.0001")
        #expect(try words(#"{"rel": 2e-6, "note": "why"}"#) == "rel ≤ 2e-06")
        #expect(try words(#"{"levels": 1, "share_equal": 0.995}"#) == "levels ≤ 1, equal ≥ 0.995")
        #expect(try words(#"{"info": true}"#) == "info")
        #expect(
            try words(#"{"exact_where": {"tensor": "margin", "at_least": 1, "cascade": true}}"#)
                == "exact where margin ≥ 1, cascading")
    }
}
