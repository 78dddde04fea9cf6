/// Pulls values out of JSON text one after the other, without building anything that was not asked for. Stricter than
/// Foundation's parser, which keeps one of several equal keys; safetensors headers must not have any.
/// Format: RFC 8259.
struct JSONScanner {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next character that is not white space, not passed over; nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    /// Passes over this character when it comes next.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(FormatFault) {
        guard skip(character) else { throw unexpected("\"\(character)\"") }
    }

    /// Nothing but white space may follow.
    mutating func expectEnd() throws(FormatFault) {
        guard peek() == nil else { throw unexpected("the end") }
    }

    /// Goes through an object; `member` reads each value.
    mutating func object(
        _ member: (String, inout JSONScanner) throws(FormatFault) -> Void
    ) throws(FormatFault) {
        try expect("{")
        if skip("}") { return }
        var keys: Set<String> = []
        repeat {
            let key = try string()
            guard keys.insert(key).inserted else { throw FormatFault("has the key \"\(key.shortened)\" twice") }
            try expect(":")
            try member(key, &self)
        } while skip(",")
        try expect("}")
    }

    /// Goes through an array; `element` reads each value.
    mutating func array(_ element: (inout JSONScanner) throws(FormatFault) -> Void) throws(FormatFault) {
        try expect("[")
        if skip("]") { return }
        repeat { try element(&self) } while skip(",")
        try expect("]")
    }

    /// An integer from 0 on, without a fraction or an exponent.
    mutating func size() throws(FormatFault) -> Int {
        let text = number()
        guard !text.isEmpty else { throw unexpected("a whole number") }
        guard text.allSatisfy({ (0x30...0x39).contains($0) }), text == [0x30] || text.first != 0x30 else {
            throw FormatFault("has \(String(decoding: text, as: UTF8.self).shortened) where a size belongs")
        }
        guard let size = Int(String(decoding: text, as: UTF8.self)) else {
            throw FormatFault("claims \(String(decoding: text, as: UTF8.self).shortened), more than 63 bits can count")
        }
        return size
    }

    /// Passes over any value. `depth` is how deep it may be nested.
    mutating func skipValue(depth: Int = Limits.depth) throws(FormatFault) {
        guard depth > 0 else { throw FormatFault("has JSON nested deeper than \(Limits.depth)") }
        switch peek() {
        case UInt8(ascii: "{"):
            try object { (_, scanner) throws(FormatFault) in try scanner.skipValue(depth: depth - 1) }
        case UInt8(ascii: "["):
            try array { (scanner) throws(FormatFault) in try scanner.skipValue(depth: depth - 1) }
        case UInt8(ascii: "\""):
            _ = try string()
        default:
            for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return
            }
            let text = String(decoding: number(), as: UTF8.self)
            guard let first = text.first, first == "-" || first.isNumber, Double(text)?.isFinite == true else {
                throw unexpected("a value")
            }
        }
    }

    private mutating func number() -> ArraySlice<UInt8> {
        _ = peek()
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                position += 1
            default: return bytes[start..<position]
            }
        }
        return bytes[start..<position]
    }

    /// A string with its escapes resolved.
    mutating func string() throws(FormatFault) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw unexpected("the end of a string") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try .checked(text)
            case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
            case 0..<0x20: throw unexpected("no control character")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape() throws(FormatFault) -> Unicode.Scalar {
        guard position < bytes.count else { throw unexpected("an escape") }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var unit = UInt32(try hexadecimal())
            if (0xD800..<0xDC00).contains(unit), bytes[position...].starts(with: [0x5C, 0x75]) {
                position += 2
                let low = UInt32(try hexadecimal())
                guard (0xDC00..<0xE000).contains(low) else { throw unexpected("the second half of a character") }
                unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw unexpected("a whole character") }
            return scalar
        default: throw unexpected("an escape")
        }
    }

    private mutating func hexadecimal() throws(FormatFault) -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw unexpected("four hexadecimal digits") }
        position += 4
        return unit
    }

    private func unexpected(_ wanted: String) -> FormatFault {
        FormatFault("is not the JSON it should be: \(wanted) expected at byte \(position)")
    }
}
