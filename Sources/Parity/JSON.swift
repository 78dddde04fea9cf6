import Foundation

/// A JSON value whose form is not known beforehand: what `case.json` says differs from kind to kind.
enum JSON: Sendable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    /// Descriptions and rules are some hundred kilobytes; a file beyond this is neither.
    static let largestFile = 64 << 20

    /// Reads a file.
    static func read(_ url: URL) throws(CaseError) -> JSON { try decode(JSON.self, from: url) }

    /// Reads a file whose form is known.
    static func decode<Value: Decodable>(_ type: Value.Type, from url: URL) throws(CaseError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: contents(of: url))
        } catch let error as CaseError {
            throw error
        } catch let error as DecodingError {
            throw CaseError("read", url.path, reason(error))
        } catch {
            throw CaseError("read", url.path, "it is not valid JSON")
        }
    }

    /// The bytes of a file, whose size is looked at before they are read.
    static func contents(of url: URL) throws(CaseError) -> Data {
        let values = try? url.resolvingSymlinksInPath().resourceValues(forKeys: [.isRegularFileKey, .fileSizeKey])
        guard let values else { throw CaseError("read", url.path, "there is no such file") }
        guard values.isRegularFile == true, let size = values.fileSize else {
            throw CaseError("read", url.path, "it is not a regular file")
        }
        guard size <= largestFile else { throw CaseError("read", url.path, "it has more than \(largestFile) bytes") }
        guard let data = try? Data(contentsOf: url) else { throw CaseError("read", url.path, "it is not readable") }
        return data
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "\((context.codingPath + [key]).map(\.stringValue).joined(separator: ".")) is missing"
        case .typeMismatch(_, let context) where !context.codingPath.isEmpty,
            .valueNotFound(_, let context) where !context.codingPath.isEmpty,
            .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is not what it should be"
        default: "it is not valid JSON"
        }
    }

    /// A member of an object; nil when this is none or has no such member.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// The members, when this is an object.
    var members: [String: JSON] {
        guard case .object(let members) = self else { return [:] }
        return members
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var flag: Bool? {
        guard case .flag(let flag) = self else { return nil }
        return flag
    }

    var number: Double? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    /// A number without a fraction.
    var integer: Int? { number.flatMap(Int.init(exactly:)) }

    /// One integer, or a list of them; nil for anything else.
    var integers: [Int]? {
        if let integer { return [integer] }
        guard case .list(let items) = self else { return nil }
        let integers = items.compactMap(\.integer)
        return integers.count == items.count ? integers : nil
    }
}

extension JSON: Decodable {
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }
}
