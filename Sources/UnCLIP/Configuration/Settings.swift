import Checkpoints
import Foundation

/// A value of a JSON configuration.
enum Setting: Sendable, Equatable, Decodable, CustomStringConvertible {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([Setting])
    case object([String: Setting])

    /// No setting is a list or an object of so many others.
    private static let deepest = 16

    init(from decoder: any Decoder) throws {
        // What is tried here is tried at every level: the time grows with the third power of the depth.
        guard decoder.codingPath.count <= Self.deepest else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "nested deeper than \(Self.deepest)"))
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Setting].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Setting].self))
        }
    }

    var integer: Int? {
        guard case .number(let number) = self else { return nil }
        return Int(exactly: number)
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var description: String {
        switch self {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
        case .text(let text): "\"\(text.prefix(80))\""
        case .list(let list): "[" + list.prefix(8).map(\.description).joined(separator: ", ") + "]"
        case .object: "an object"
        }
    }
}

/// A configuration file read strictly: every key is taken, known to change nothing, or refused by name. A setting that
/// nobody here knows may change what is computed; a picture that is quietly another one is worse than an error.
final class Settings {
    /// The file's path.
    let file: String
    private var left: [String: Setting]

    /// Reads a file that must hold a JSON object.
    init(_ url: URL) throws(UnCLIPError) {
        file = url.path
        left = try Self.object(url)
    }

    /// The object that a JSON file holds.
    static func object(_ url: URL, mostBytes: Int = ConfigurationFile.largest) throws(UnCLIPError) -> [String: Setting]
    {
        let data: Data
        do {
            data = try ConfigurationFile.contents(of: url, atMost: mostBytes)
        } catch {
            throw UnCLIPError("load", url.path, "it \(error.reason)")
        }
        guard case .object(let object)? = try? JSONDecoder().decode(Setting.self, from: data) else {
            throw UnCLIPError("load", url.path, "it is not a JSON object of settings")
        }
        return object
    }

    /// An error about a key of this file.
    func refusal(_ key: String, _ reason: String) -> UnCLIPError { UnCLIPError("load", file, "\(key) \(reason)") }

    /// Takes a key; nil where it is missing or null.
    func take(_ key: String) -> Setting? {
        guard let value = left.removeValue(forKey: key), value != .null else { return nil }
        return value
    }

    /// Whether a key is there and not null.
    func has(_ key: String) -> Bool { left[key].map { $0 != .null } ?? false }

    /// Takes a whole number in a range.
    func integer(_ key: String, default standard: Int? = nil, in range: ClosedRange<Int>) throws(UnCLIPError) -> Int {
        guard let value = take(key) else {
            if let standard { return standard }
            throw refusal(key, "is missing")
        }
        return try check(value, key, range)
    }

    private func check(_ value: Setting, _ key: String, _ range: ClosedRange<Int>) throws(UnCLIPError) -> Int {
        guard let number = value.integer, range.contains(number) else {
            throw refusal(key, "is \(value), expected a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Takes a number in a range.
    func number(
        _ key: String, default standard: Double, in range: ClosedRange<Double>
    ) throws(UnCLIPError) -> Double {
        guard let value = take(key) else { return standard }
        guard case .number(let number) = value, range.contains(number) else {
            throw refusal(key, "is \(value), expected a number, \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Takes true or false.
    func flag(_ key: String, default standard: Bool) throws(UnCLIPError) -> Bool {
        guard let value = take(key) else { return standard }
        guard case .flag(let flag) = value else { throw refusal(key, "is \(value), expected true or false") }
        return flag
    }

    /// Takes a list of whole numbers; `count` of them, of which a single number stands for all. Without `count` any
    /// number of them up to 16.
    func integers(
        _ key: String, count: Int? = nil, default standard: Int? = nil, in range: ClosedRange<Int>
    ) throws(UnCLIPError) -> [Int] {
        guard let value = take(key) else {
            if let standard, let count { return Array(repeating: standard, count: count) }
            throw refusal(key, "is missing")
        }
        guard case .list(let list) = value else {
            guard let count else { throw refusal(key, "is \(value), expected a list") }
            return Array(repeating: try check(value, key, range), count: count)
        }
        guard count.map({ $0 == list.count }) ?? (1...16).contains(list.count) else {
            throw refusal(key, "has \(list.count) entries, expected \(count.map { "\($0)" } ?? "1 to 16")")
        }
        var numbers: [Int] = []
        for item in list { numbers.append(try check(item, key, range)) }
        return numbers
    }

    /// Takes a list of names, each of which must be among these.
    func names(_ key: String, among allowed: [String]) throws(UnCLIPError) -> [String] {
        guard let value = take(key) else { throw refusal(key, "is missing") }
        guard case .list(let list) = value else { throw refusal(key, "is \(value), expected a list") }
        var names: [String] = []
        for item in list {
            guard let name = item.text, allowed.contains(name) else {
                throw refusal(key, "has \(item); there is only \(allowed.joined(separator: " and "))")
            }
            names.append(name)
        }
        return names
    }

    /// Takes a text among these; a missing one is the first.
    func text(_ key: String, among allowed: [String]) throws(UnCLIPError) -> String {
        guard let value = take(key) else { return allowed[0] }
        guard let text = value.text, allowed.contains(text) else {
            throw refusal(key, "is \(value); there is only \(allowed.joined(separator: " and "))")
        }
        return text
    }

    /// Takes keys that may only have these values (or be null or missing): another one asks for another computation.
    func expect(_ expected: [String: Setting]) throws(UnCLIPError) {
        for (key, only) in expected.sorted(by: { $0.key < $1.key }) {
            guard let value = take(key), value != only else { continue }
            throw refusal(key, "is \(value), which is not supported: only \(only) is")
        }
    }

    /// Takes keys that change nothing here: sizes of training, names, ways to fit another machine.
    func ignore(_ keys: String...) {
        for key in keys { left.removeValue(forKey: key) }
    }

    /// Refuses what was not taken, unless it is null, false or a note (`_…`).
    func finish() throws(UnCLIPError) {
        for (key, value) in left.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("_") {
            guard value == .null || value == .flag(false) else {
                throw refusal(key, "is \(value), and nothing here knows that setting")
            }
        }
    }
}
