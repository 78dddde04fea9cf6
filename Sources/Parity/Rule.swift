/// How a computed tensor must agree with the reference's: an entry of `compare.json`.
public struct Rule: Sendable, Equatable {
    /// What is demanded of the elements. A NaN never passes.
    public enum Measure: Sendable, Equatable {
        /// All are equal.
        case exact
        /// |actual − expected| is at most this for every element.
        case absolute(Double)
        /// |actual − expected| is at most this times |expected| for every element.
        case relative(Double)
        /// Equal wherever a margin is at least `atLeast`.
        ///
        /// The margin is the tensor with the same prefix and the name `tensor`; `[levels, frames]`, as the codes are. With
        /// `cascade`, a difference that a small margin excuses at one level excuses the later levels of that frame.
        case exactWhere(tensor: String, atLeast: Double, cascade: Bool)
        /// At most this many steps of an 8-bit value apart, and at least this share equal.
        case levels(Int, shareEqual: Double)
        /// Not compared.
        case info
    }

    /// What is demanded.
    public var measure: Measure
    /// Of the first dimension only this index is compared; all of it when nil.
    public var level: Int?

    /// A rule.
    public init(_ measure: Measure, level: Int? = nil) {
        self.measure = measure
        self.level = level
    }

    /// All elements equal.
    public static let exact = Rule(.exact)
    /// Every element within this of the expected one.
    public static func absolute(_ limit: Double) -> Rule { Rule(.absolute(limit)) }
}

extension Rule: CustomStringConvertible {
    /// The rule as a column of a table says it.
    public var description: String {
        let words =
            switch measure {
            case .exact: "exact"
            case .absolute(let limit): "abs ≤ \(short(limit))"
            case .relative(let limit): "rel ≤ \(short(limit))"
            case .exactWhere(let tensor, let atLeast, let cascade):
                "exact where \(tensor) ≥ \(short(atLeast))\(cascade ? ", cascading" : "")"
            case .levels(let levels, let share): "levels ≤ \(levels), equal ≥ \(short(share))"
            case .info: "info"
            }
        return level.map { "\(words), level \($0)" } ?? words
    }

    private func short(_ number: Double) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Rule {
    /// Why an entry of `compare.json` is no rule.
    struct Refusal: Error { let reason: String }

    /// Reads an entry. Whatever is not understood is refused: a rule that is half followed verifies nothing.
    init(_ json: JSON) throws(Refusal) {
        guard case .object(let members) = json else { throw Refusal(reason: "is not an object") }
        let names: Set = ["exact", "abs", "rel", "exact_where", "levels", "info"]
        let measures = members.keys.filter(names.contains)
        guard measures.count == 1, let name = measures.first, let value = members[name] else {
            throw Refusal(reason: "names \(measures.count) of \(names.sorted().joined(separator: ", "))")
        }
        // A note is for people.
        var options: Set = [name, "level", "note"]
        switch name {
        case "abs": measure = .absolute(try Self.limit(value, name))
        case "rel": measure = .relative(try Self.limit(value, name))
        case "levels":
            options.insert("share_equal")
            guard let levels = value.integer, levels >= 0 else { throw Refusal(reason: "levels is no count") }
            let share = try members["share_equal"].map { json throws(Refusal) in try Self.limit(json, "share_equal") }
            measure = .levels(levels, shareEqual: share ?? 0)
        case "exact_where":
            guard let tensor = value["tensor"]?.text, !tensor.isEmpty, let atLeast = value["at_least"]?.number,
                value.members.keys.allSatisfy(["tensor", "at_least", "cascade"].contains)
            else { throw Refusal(reason: "exact_where needs tensor and at_least, and knows cascade beside them") }
            measure = .exactWhere(tensor: tensor, atLeast: atLeast, cascade: value["cascade"]?.flag ?? false)
        default:
            guard value == .flag(true) else { throw Refusal(reason: "\(name) is not true") }
            measure = name == "info" ? .info : .exact
        }
        if let level = members["level"] {
            guard let index = level.integer, index >= 0 else { throw Refusal(reason: "level is no index") }
            self.level = index
        } else {
            level = nil
        }
        if let unknown = members.keys.filter({ !options.contains($0) }).min() {
            throw Refusal(reason: "has the unknown option \(unknown)")
        }
    }

    private static func limit(_ json: JSON, _ name: String) throws(Refusal) -> Double {
        guard let limit = json.number, limit >= 0, limit.isFinite else {
            throw Refusal(reason: "\(name) is not a number from 0 on")
        }
        return limit
    }
}
