import Foundation

/// How much JSON is taken from outside.
public struct JSONLimits: Sendable {
    /// The longest text, in bytes.
    public var maxBytes = 16 << 20
    /// How deep arrays and objects may be nested.
    public var maxDepth = 32
    /// How many values a text may hold, about: events hold few, and each costs far more than its bytes to read. What may
    /// be anything (`JSONValue`) is tried as every kind of value, which takes tens of microseconds a value.
    public var maxValues = 4_000

    /// The defaults written beside the properties.
    public init() {}

    /// Refuses what is too long or nested too deeply, in one pass over the bytes and before anything is built of them.
    func check(_ bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= maxBytes else { throw .tooLarge(bytes: bytes.count, limit: maxBytes) }
        let (depth, values) = Self.measure(bytes)
        guard depth <= maxDepth else {
            throw WireError(.invalidJSON, "The JSON text is nested more than \(maxDepth) levels deep.")
        }
        guard values <= maxValues else {
            throw WireError(.invalidJSON, "The JSON text holds more than \(maxValues) values.")
        }
    }

    private static func measure(_ bytes: [UInt8]) -> (depth: Int, values: Int) {
        bytes.withUnsafeBufferPointer { bytes in
            var depth = 0
            var deepest = 0
            var values = 1
            var index = 0
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "\""):
                    index += 1
                    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                        index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                    }
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    deepest = max(deepest, depth)
                    values += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                case UInt8(ascii: ","): values += 1
                default: break
                }
                index += 1
            }
            return (deepest, values)
        }
    }
}

/// A JSON value that is passed on as it came: tools, metadata.
public enum JSONValue: Equatable, Sendable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number without a fraction that fits 64 bits.
    case integer(Int64)
    /// Another number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object([String: JSONValue])
}

extension JSONValue: Codable {
    /// Reads any value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([String: JSONValue].self) {
            self = .object(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

/// Bytes that travel as a base64 string.
struct Base64: Codable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let data = Data(base64Encoded: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "This is not base64.")
        }
        bytes = Array(data)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(bytes).base64EncodedString())
    }
}

/// What an update says about a setting that can also be off.
public enum Patch<Value: Equatable & Sendable>: Equatable, Sendable {
    /// The key is absent: the setting stays.
    case keep
    /// The key is null: off.
    case clear
    /// The key has a value.
    case set(Value)

    /// The setting after the update.
    public func applied(to setting: Value?) -> Value? {
        switch self {
        case .keep: setting
        case .clear: nil
        case .set(let value): value
        }
    }
}

extension KeyedDecodingContainer {
    func patch<Value: Decodable>(_ key: Key) throws -> Patch<Value> {
        guard contains(key) else { return .keep }
        return try decodeNil(forKey: key) ? .clear : .set(try decode(Value.self, forKey: key))
    }

    /// A value in a range; absent or null is nil.
    func value<Value: Decodable & Comparable>(_ key: Key, in range: ClosedRange<Value>) throws -> Value? {
        let read: Value?
        do {
            read = try decodeIfPresent(Value.self, forKey: key)
        } catch let error as DecodingError {
            throw error
        } catch {
            // Foundation's own error for a number that no type of ours holds, which doesn't say where it stands.
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "The number is too large.")
        }
        guard let value = read else { return nil }
        guard range.contains(value) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self,
                debugDescription: "\(value) is not between \(range.lowerBound) and \(range.upperBound).")
        }
        return value
    }

    /// One of an enumeration's strings; absent or null is nil.
    func choice<Value: RawRepresentable<String> & CaseIterable>(_ key: Key, as type: Value.Type) throws -> Value? {
        guard let text = try decodeIfPresent(String.self, forKey: key) else { return nil }
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "\"\(text)\" is not one of \(known).")
        }
        return value
    }
}

extension KeyedEncodingContainer {
    mutating func patch<Value: Encodable>(_ patch: Patch<Value>, _ key: Key) throws {
        switch patch {
        case .keep: break
        case .clear: try encodeNil(forKey: key)
        case .set(let value): try encode(value, forKey: key)
        }
    }
}
