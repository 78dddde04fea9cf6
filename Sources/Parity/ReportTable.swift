import Foundation

/// A report as a table for people.
public struct ReportTable {
    /// Columns of the terminal; nil when lines may be of any length.
    public var width: Int?
    /// Whether outcomes are coloured.
    public var isColored: Bool

    /// A table; without a width and colours, as for a file or a pipe.
    public init(width: Int? = nil, isColored: Bool = false) {
        self.width = width
        self.isColored = isColored
    }

    private static let titles = ["tensor", "shape", "largest", "relative", "equal", "rule", "result"]
    /// The columns that give way when the terminal is narrow, and what is always left of them.
    private static let flexible = (name: 0, rule: 5, least: 16)

    /// The table and a line that sums it up.
    public func text(_ report: CaseReport) -> String {
        let rows = report.rows.map(cells)
        var widths = Self.titles.indices.map { column in
            ([Self.titles] + rows).map { $0[column].count }.max() ?? 0
        }
        fit(&widths)
        var lines = [line(Self.titles, widths)]
        for (row, cells) in zip(report.rows, rows) {
            lines.append(line(cells, widths, row.outcome))
            if let note = row.note {
                lines.append("    " + colored(Self.harmless(note), row.outcome == .failed ? .failed : .notCompared))
            }
        }
        return (lines + [summary(report)]).joined(separator: "\n")
    }

    /// Text out of a file as part of a line: without anything that could break it, or move a terminal's cursor.
    public static func harmless(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }

    /// One line: how many rows passed and failed, and how long it took.
    public func summary(_ report: CaseReport) -> String {
        let outcome: Row.Outcome = report.succeeded ? .passed : .failed
        let name = URL(filePath: report.folder).standardizedFileURL.lastPathComponent
        let time = String(format: "%.1f s", report.seconds)
        return "\(name) (\(report.kind)): " + colored(outcome == .passed ? "pass" : "FAIL", outcome)
            + ", \(report.count(.passed)) passed, \(report.count(.failed)) failed, "
            + "\(report.count(.notCompared)) not compared, \(time)"
    }

    private func cells(_ row: Row) -> [String] {
        [
            Self.harmless(row.name), row.shape.map { "[\($0.map(String.init).joined(separator: ", "))]" } ?? "–",
            Self.number(row.largestError), Self.number(row.relativeError), Self.share(row.equalShare), row.rule,
            row.outcome == .failed ? "FAIL" : row.outcome.rawValue,
        ]
    }

    private func fit(_ widths: inout [Int]) {
        guard let width else { return }
        let gaps = 2 * (widths.count - 1)
        for column in [Self.flexible.rule, Self.flexible.name] {
            let surplus = widths.reduce(0, +) + gaps - width
            guard surplus > 0 else { return }
            widths[column] = max(min(widths[column], Self.flexible.least), widths[column] - surplus)
        }
    }

    private func line(_ cells: [String], _ widths: [Int], _ outcome: Row.Outcome? = nil) -> String {
        let padded = zip(cells, widths).enumerated().map { column, cell in
            let text = Self.shortened(cell.0, to: cell.1)
            let space = String(repeating: " ", count: cell.1 - text.count)
            // Numbers stand at the right of their column.
            return (2...4).contains(column) ? space + text : text + space
        }
        let last = padded.last.map { colored(String($0.reversed().drop { $0 == " " }.reversed()), outcome) } ?? ""
        return (padded.dropLast() + [last]).joined(separator: "  ")
    }

    /// Names are told apart by both of their ends.
    private static func shortened(_ text: String, to width: Int) -> String {
        guard text.count > width else { return text }
        let head = (width - 1) / 2
        return text.prefix(head) + "…" + text.suffix(width - 1 - head)
    }

    private func colored(_ text: String, _ outcome: Row.Outcome?) -> String {
        guard isColored, let outcome else { return text }
        let color =
            switch outcome {
            case .passed: 32
            case .failed: 31
            case .notCompared: 2
            }
        return "\u{1B}[\(color)m\(text)\u{1B}[0m"
    }

    private static func number(_ value: Double?) -> String {
        guard let value else { return "–" }
        if value.isNaN { return "NaN" }
        return value == 0 ? "0" : String(format: "%.1e", value)
    }

    /// Rounded down: 100 % means all.
    private static func share(_ value: Double?) -> String {
        guard let value else { return "–" }
        return value == 1 ? "100 %" : String(format: "%.2f %%", (value * 10_000).rounded(.down) / 100)
    }
}
