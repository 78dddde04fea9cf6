import Foundation

/// A value as it stands in the file.
enum ConfigurationValue: Equatable, CustomStringConvertible {
    case text(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case texts([String])
    /// A kind of value that no key takes: "a table", "an array", "a date".
    case other(String)

    /// As TOML would write it, text cut short.
    var description: String {
        switch self {
        case .text(let text): text.count > 60 ? "\"\(text.prefix(60))…\"" : "\"\(text)\""
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .boolean(let boolean): "\(boolean)"
        case .texts(let texts): "[\(texts.map { ConfigurationValue.text($0).description }.joined(separator: ", "))]"
        case .other(let kind): kind
        }
    }
}

/// One key of a table: its name, what it takes, and the property that holds it. `Table` is the struct of the table that
/// the name counts from.
struct ConfigurationKey<Table>: Sendable {
    /// The name with the tables above it.
    var path: [String]

    /// What the key takes, for people: "an integer from 0 to 65535".
    let expected: String

    /// Puts a value into the property; false when it is not what is expected.
    let set: @Sendable (ConfigurationValue, inout Table) -> Bool

    /// The value in the property.
    let get: @Sendable (Table) -> ConfigurationValue

    /// Whether the value is a path, relative to the folder of the file.
    var isPath = false

    /// The same key, seen from the table around: `name.key`.
    func under<Outer>(
        _ name: String, _ table: any WritableKeyPath<Outer, Table> & Sendable
    ) -> ConfigurationKey<Outer> {
        ConfigurationKey<Outer>(
            path: [name] + path, expected: expected,
            set: { [set] value, outer in set(value, &outer[keyPath: table]) },
            get: { [get] outer in get(outer[keyPath: table]) },
            isPath: isPath)
    }
}

extension ConfigurationKey {
    typealias Property<Value> = any WritableKeyPath<Table, Value> & Sendable

    static func integer(_ name: String, _ property: Property<Int>, _ range: ClosedRange<Int>) -> Self {
        ConfigurationKey(
            path: [name], expected: "an integer from \(range.lowerBound) to \(range.upperBound)",
            set: { value, table in
                guard case .integer(let integer) = value, range.contains(integer) else { return false }
                table[keyPath: property] = integer
                return true
            },
            get: { .integer($0[keyPath: property]) })
    }

    /// A finite number; an integer will do.
    static func number(_ name: String, _ property: Property<Double>, _ range: ClosedRange<Double>) -> Self {
        ConfigurationKey(
            path: [name], expected: "a number from \(range.lowerBound) to \(range.upperBound)",
            set: { value, table in
                let number: Double
                switch value {
                case .number(let value): number = value
                case .integer(let value): number = Double(value)
                default: return false
                }
                guard range.contains(number) else { return false }
                table[keyPath: property] = number
                return true
            },
            get: { .number($0[keyPath: property]) })
    }

    static func boolean(_ name: String, _ property: Property<Bool>) -> Self {
        ConfigurationKey(
            path: [name], expected: "true or false",
            set: { value, table in
                guard case .boolean(let boolean) = value else { return false }
                table[keyPath: property] = boolean
                return true
            },
            get: { .boolean($0[keyPath: property]) })
    }

    static func text(_ name: String, _ property: Property<String>, mayBeEmpty: Bool = false) -> Self {
        ConfigurationKey(
            path: [name], expected: mayBeEmpty ? "text in quotes" : "text in quotes, not empty",
            set: { value, table in
                guard case .text(let text) = value, mayBeEmpty || !text.isEmpty else { return false }
                table[keyPath: property] = text
                return true
            },
            get: { .text($0[keyPath: property]) })
    }

    /// A list of texts, which may be empty.
    static func texts(_ name: String, _ property: Property<[String]>) -> Self {
        ConfigurationKey(
            path: [name], expected: "a list of texts in quotes",
            set: { value, table in
                guard case .texts(let texts) = value else { return false }
                table[keyPath: property] = texts
                return true
            },
            get: { .texts($0[keyPath: property]) })
    }

    /// The path of a file or folder; empty, where it may be, is none.
    static func path(_ name: String, _ property: Property<String>, mayBeEmpty: Bool = false) -> Self {
        let text = text(name, property, mayBeEmpty: mayBeEmpty)
        return ConfigurationKey(
            path: text.path, expected: mayBeEmpty ? "a path in quotes" : "a path in quotes, not empty", set: text.set,
            get: text.get, isPath: true)
    }

    /// One of some words: the raw values of the property's type.
    static func choice<Choice: CaseIterable & RawRepresentable<String> & Sendable>(
        _ name: String, _ property: Property<Choice>
    ) -> Self {
        ConfigurationKey(
            path: [name], expected: "one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "),
            set: { value, table in
                guard case .text(let text) = value, let choice = Choice(rawValue: text) else { return false }
                table[keyPath: property] = choice
                return true
            },
            get: { .text($0[keyPath: property].rawValue) })
    }
}
