import Checkpoints
import Foundation
import Tensors

/// A case while it is verified: takes what the networks compute, tensor by tensor, and keeps the rows.
final class Verification {
    let golden: GoldenCase
    private(set) var rows: [Row] = []
    private var done: Set<String> = []
    private let progress: (String) -> Void

    init(_ golden: GoldenCase, progress: @escaping (String) -> Void) {
        self.golden = golden
        self.progress = progress
    }

    /// Says what is being worked on.
    func stage(_ what: String) { progress(what) }

    /// Whether this tensor is expected: nobody computes what nobody looks at.
    func expects(_ name: String) -> Bool { golden.expected.info(name) != nil }

    /// The names of expected tensors that begin with a prefix, which they lose, in natural order.
    func expectedNames(after prefix: String) -> [String] {
        golden.expected.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted(
            by: isBefore)
    }

    /// Holds a computed tensor against the expected one of this name, if there is one.
    ///
    /// - Parameters:
    ///   - measuredMargin: the margin of a code that the case records none of, by its index.
    ///   - bits: as of `Comparison.row`.
    func compare(
        _ name: String, _ actual: TypedArray, measuredMargin: ((Int) -> Double?)? = nil, bits: Bool = false
    ) throws {
        guard expects(name) else { return }
        done.insert(name)
        guard let rule = golden.rules[name] else {
            return rows.append(withoutRule(name))
        }
        let expected = try golden.expected.array(name)
        var margins = Comparison.Margins(measured: measuredMargin)
        if case .exactWhere(let tensor, _, _) = rule.measure {
            let recorded = try recordedMargins(of: name, tensor, shape: expected.shape)
            guard recorded != nil || actual.shape != expected.shape else {
                return fail(name, "the shape of \(tensor) is not that of the codes, \(expected.shape)")
            }
            margins.recorded = recorded ?? []
        }
        rows.append(Comparison.row(name, rule, expected: expected, actual: actual, margins: margins, bits: bits))
    }

    func compare(_ name: String, _ actual: Tensor) throws {
        guard expects(name) else { return }
        try compare(name, TypedArray(actual.values, shape: actual.shape))
    }

    /// A comparison beyond those that the case asks for, by a rule of ours.
    func check(_ name: String, _ rule: Rule, expected: TypedArray, actual: TypedArray) {
        rows.append(Comparison.row(name, rule, expected: expected, actual: actual))
    }

    /// Puts words beside a row that is there.
    func annotate(_ name: String, _ note: String) {
        guard let index = rows.firstIndex(where: { $0.name == name }) else { return }
        rows[index].note = rows[index].note.map { "\($0); \(note)" } ?? note
    }

    /// Adds a row that was made elsewhere.
    func add(_ row: Row) { rows.append(row) }

    /// Reports that an expected tensor could not be computed.
    func fail(_ name: String, _ reason: String) {
        done.insert(name)
        rows.append(
            Row(
                name, shape: golden.expected.info(name)?.shape, rule: golden.rules[name]?.description ?? "–",
                outcome: .failed, note: reason))
    }

    /// Reports that an expected tensor belongs to the question, not to the answer.
    func pass(over name: String, _ reason: String) {
        done.insert(name)
        rows.append(
            Row(
                name, shape: golden.expected.info(name)?.shape, rule: golden.rules[name]?.description ?? "–",
                outcome: .notCompared, note: reason))
    }

    /// Adds a row for everything that was expected and not computed.
    func finish() {
        for name in golden.expected.names where !done.contains(name) {
            guard let rule = golden.rules[name] else {
                rows.append(withoutRule(name))
                continue
            }
            if rule.measure == .info {
                rows.append(
                    Row(
                        name, shape: golden.expected.info(name)?.shape, rule: rule.description, outcome: .notCompared))
            } else {
                fail(name, "nothing computes it from the case's inputs")
            }
        }
        for (name, rule) in golden.rules where !expects(name) {
            let file = golden.expected.url.lastPathComponent
            rows.append(Row(name, rule: rule.description, outcome: .failed, note: "is missing in \(file)"))
        }
    }

    private func withoutRule(_ name: String) -> Row {
        Row(
            name, shape: golden.expected.info(name)?.shape, rule: "–", outcome: .failed,
            note: "compare.json has no rule for it")
    }

    /// The margins with the same prefix; where only those of the first level are recorded (`margin_first`), those. Empty
    /// when there are none, nil when they have another shape.
    private func recordedMargins(of name: String, _ tensor: String, shape: [Int]) throws -> [Double]? {
        let prefix = name.lastIndex { $0 == "." || $0 == "/" }.map { name[...$0] } ?? ""
        for (candidate, wanted) in [(tensor, shape), ("\(tensor)_first", Array(shape.dropFirst()))] {
            guard let info = golden.expected.info(prefix + candidate) else { continue }
            return info.shape == wanted ? try golden.expected.array(prefix + candidate).doubles : nil
        }
        return []
    }
}

extension TypedArray {
    /// Codes `[level][frame]` as a tensor `[levels, frames]`.
    init(codes: [[Int32]]) {
        self.init(codes.flatMap { $0.map(Int.init) }, shape: [codes.count, codes.first?.count ?? 0])
    }

    /// Token ids.
    init(ids: [Int32]) { self.init(ids.map(Int.init), shape: [ids.count]) }
}

extension Checkpoint {
    /// The token ids of a tensor, which must fit 32 bits.
    func ids(_ name: String) throws(CheckpointError) -> [Int32] {
        try integers(name).values.map { (value) throws(CheckpointError) in
            guard let id = Int32(exactly: value) else {
                throw CheckpointError(file: url.path, tensor: name, reason: "holds \(value), which is no token id")
            }
            return id
        }
    }

    /// The integers of a tensor that must be a matrix with at least one column.
    func matrix(_ name: String) throws(CheckpointError) -> (values: [Int], rows: Int, columns: Int) {
        let (values, shape) = try integers(name)
        guard shape.count == 2, shape[1] > 0 else {
            throw CheckpointError(file: url.path, tensor: name, reason: "has shape \(shape), expected a matrix")
        }
        return (values, shape[0], shape[1])
    }
}
