/// A JSON value whose strings are kept as UTF-8 bytes.
///
/// Foundation's decoders key dictionaries on `String`, whose equality is canonical equivalence: two tokens that differ
/// only in their normal form would silently become one. Token files are read with this instead.
enum JSONValue {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits an `Int`.
    case integer(Int)
    /// Any other number; nothing in a tokenizer's files needs its value.
    case real
    case string([UInt8])
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in the order of the file, names unique.
struct JSONObject {
    fileprivate(set) var members: [(name: [UInt8], value: JSONValue)] = []

    /// The value of a member, nil when there is none.
    subscript(name: String) -> JSONValue? {
        members.first { $0.name.elementsEqual(name.utf8) }?.value
    }
}

/// Strict reader of RFC 8259 text: no duplicate names, no lone surrogates, at most 64 levels, nothing after the value.
struct JSONReader {
    /// Where reading failed (a byte offset) and why.
    struct Failure: Error {
        let offset: Int
        let reason: String
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Reads the one value that `bytes` holds.
    static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        // Typed throws do not pass through withUnsafeBufferPointer's closure in every position: carry a Result out.
        let result: Result<JSONValue, Failure> = bytes.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            return Result { () throws(Failure) -> JSONValue in
                let value = try reader.value(depth: 0)
                reader.skipSpace()
                if reader.position < buffer.count { throw reader.failure("text after the end of the value") }
                return value
            }
        }
        return try result.get()
    }

    private func failure(_ reason: String) -> Failure {
        Failure(offset: position, reason: reason)
    }

    private var next: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        if depth > 64 { throw failure("more than 64 levels") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw failure("text ends where a value was expected")
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            if !take(word.utf8Start[index]) { throw failure("not a JSON value") }
        }
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONObject {
        position += 1
        var object = JSONObject()
        var names = Set<[UInt8]>()
        skipSpace()
        if take(UInt8(ascii: "}")) { return object }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("a member's name was expected") }
            let name = try string()
            if !names.insert(name).inserted {
                throw failure("member \"\(String(decoding: name, as: UTF8.self))\" twice")
            }
            skipSpace()
            if !take(UInt8(ascii: ":")) { throw failure("a colon was expected") }
            object.members.append((name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "}")) { return object }
            throw failure("a comma or the object's end was expected")
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> [JSONValue] {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return values }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "]")) { return values }
            throw failure("a comma or the array's end was expected")
        }
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let integral = digits()
        if integral == 0 { throw failure("not a JSON value") }
        if integral > 1, bytes[position - integral] == UInt8(ascii: "0") { throw failure("number with a leading zero") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            if digits() == 0 { throw failure("number without digits after the point") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if digits() == 0 { throw failure("number without digits in the exponent") }
        }
        guard isInteger, let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else { return .real }
        return .integer(value)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() throws(Failure) -> [UInt8] {
        position += 1
        let start = position
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard String(validating: content, as: UTF8.self) != nil else {
                    position = start
                    throw failure("string that is not UTF-8")
                }
                return content
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw failure("control character in a string")
            default: content.append(byte)
            }
        }
        throw failure("text ends within a string")
    }

    private mutating func escape(into content: inout [UInt8]) throws(Failure) {
        guard let byte = next else { throw failure("text ends within a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw failure("lone surrogate") }
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("lone surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("lone surrogate") }
            content.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
        default: throw failure("unknown escape")
        }
    }

    private mutating func codeUnit() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = hexDigit(byte) else { throw failure("\\u without four hex digits") }
            value = value << 4 | digit
            position += 1
        }
        return value
    }
}

/// The value of a hexadecimal digit in ASCII, nil for any other byte.
func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
