/// The lines on which the keys of a TOML document stand, which its parser does not tell: a scan over the text that knows
/// tables, keys, strings and comments, and passes over the values.
///
/// Made for documents that were parsed without an error; what it says of others is of use as far as they are well formed.
struct TOMLKeyLines {
    /// A key that was given before.
    struct Repetition: Equatable {
        let path: [String]
        let line: Int
        let firstLine: Int
    }

    /// The line, from 1, of each key and table, with the names of the tables around it. A table that only a dotted key or
    /// header mentions stands where it is first mentioned.
    private(set) var lines: [[String]: Int] = [:]

    /// Keys and tables that stand there more than once, in order.
    private(set) var repetitions: [Repetition] = []

    /// The first place, if any, at which the parser (toml++ 3.4) would stop the process by an assertion instead of telling
    /// an error: `[` without a name, what cannot begin an element of an array, and some malformed dates.
    private(set) var hazard: Hazard?

    /// A place that the parser must not see.
    struct Hazard: Equatable {
        let line: Int
        let message: String
        /// The text before the key or header in which it stands.
        let before: String
    }

    private static let deepest = 200

    private let text: [UInt8]
    private var index = 0
    private var line = 1
    /// Where the header or key at the top level began.
    private var statement = 0
    /// Paths that were defined, not just mentioned.
    private var defined: Set<[String]> = []
    /// The header that the keys now belong to, and whether it is one of an array, whose keys come again in each element.
    private var table: [String] = []
    private var isInArray = false

    init(_ document: String) {
        text = Array(document.utf8)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        while let byte = peek {
            statement = index
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "["): header()
            default:
                pair(under: table, depth: 0)
                skipLine()
            }
        }
    }

    private var peek: UInt8? { index < text.count ? text[index] : nil }

    private mutating func advance() {
        if text[index] == UInt8(ascii: "\n") { line += 1 }
        index += 1
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    private mutating func avoid(_ message: String) {
        guard hazard == nil else { return }
        hazard = Hazard(line: line, message: message, before: String(decoding: text[..<statement], as: UTF8.self))
    }

    private mutating func skipLine() {
        while let byte = peek, byte != UInt8(ascii: "\n") { advance() }
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
    }

    /// Blanks, line ends and comments, as between the elements of an array.
    private mutating func skipGap() {
        while let byte = peek {
            if byte == UInt8(ascii: "#") {
                skipLine()
            } else if byte <= UInt8(ascii: " ") {
                advance()
            } else {
                return
            }
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header() {
        let start = line
        advance()
        isInArray = take("[")
        skipBlanks()
        if peek.map(Self.beginsKey) == false { avoid("expected the name of a table after '['") }
        table = keyPath()
        define(table, at: start)
        skipLine()
    }

    /// `key = value`, up to the end of the value.
    private mutating func pair(under table: [String], depth: Int) {
        let start = line
        let path = table + keyPath()
        define(path, at: start)
        skipBlanks()
        guard take("=") else { return }
        skipBlanks()
        value(of: path, depth: depth)
    }

    private static func beginsKey(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "\"", "'": true
        default: false
        }
    }

    private mutating func define(_ path: [String], at line: Int) {
        for end in path.indices.dropLast() where lines[Array(path[...end])] == nil {
            lines[Array(path[...end])] = line
        }
        if defined.insert(path).inserted {
            lines[path] = lines[path] ?? line
        } else if !isInArray {
            repetitions.append(Repetition(path: path, line: line, firstLine: lines[path] ?? line))
        }
    }

    private mutating func value(of path: [String], depth: Int) {
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = string()
        case UInt8(ascii: "{") where depth < Self.deepest: inlineTable(path, depth: depth + 1)
        case UInt8(ascii: "[") where depth < Self.deepest: array(path, depth: depth + 1)
        default: scalar()
        }
    }

    /// A number, a truth value or a date.
    private mutating func scalar() {
        let start = index
        while let byte = peek, !",]}#\n".utf8.contains(byte) { advance() }
        let value = text[start..<index]
        let year = value.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if value.contains(UInt8(ascii: ":"))
            || (year.count >= 2 && value.dropFirst(year.count).first == UInt8(ascii: "-"))
        {
            avoid("expected text in quotes, a number, true or false, got a date or time")
        }
    }

    private mutating func inlineTable(_ path: [String], depth: Int) {
        advance()
        while true {
            skipGap()
            guard let byte = peek, byte != UInt8(ascii: "}") else { break }
            let before = index
            pair(under: path, depth: depth)
            skipGap()
            _ = take(",")
            if index == before { return }
        }
        _ = take("}")
    }

    private mutating func array(_ path: [String], depth: Int) {
        // Elements have no names of their own, so that keys in them would seem to repeat.
        let wasInArray = isInArray
        isInArray = true
        defer { isInArray = wasInArray }
        advance()
        while true {
            skipGap()
            guard let byte = peek, byte != UInt8(ascii: "]") else { break }
            if byte == UInt8(ascii: "}") || byte >= 0x80 { avoid("expected a value or ']' in an array") }
            let before = index
            value(of: path, depth: depth)
            skipGap()
            _ = take(",")
            if index == before { return }
        }
        _ = take("]")
    }

    /// `a."b c".d`.
    private mutating func keyPath() -> [String] {
        var path: [String] = []
        repeat {
            skipBlanks()
            path.append(key())
            skipBlanks()
        } while take(".")
        return path
    }

    private mutating func key() -> String {
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return string() }
        let start = index
        while let byte = peek, !" \t\r\n.=]}[{,#\"'".utf8.contains(byte) { advance() }
        return String(decoding: text[start..<index], as: UTF8.self)
    }

    /// A string of any of the four kinds, from its first quote; its contents, escapes resolved.
    private mutating func string() -> String {
        let quote = text[index]
        let isLong = text[index...].starts(with: [quote, quote, quote])
        let closing = [UInt8](repeating: quote, count: isLong ? 3 : 1)
        for _ in closing { advance() }
        var contents: [UInt8] = []
        while let byte = peek, isLong || byte != UInt8(ascii: "\n") {
            if text[index...].starts(with: closing) {
                for _ in closing { advance() }
                // Up to two quotes may stand right before the three that close.
                while isLong, peek == quote { advance() }
                break
            }
            advance()
            if byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") {
                contents += escape()
            } else {
                contents.append(byte)
            }
        }
        return String(decoding: contents, as: UTF8.self)
    }

    /// What follows a backslash.
    private mutating func escape() -> [UInt8] {
        guard let byte = peek else { return [] }
        advance()
        switch Unicode.Scalar(byte) {
        case "n": return [0x0A]
        case "t": return [0x09]
        case "r": return [0x0D]
        case "b": return [0x08]
        case "f": return [0x0C]
        case "u", "U":
            let digits = text[index...].prefix(byte == UInt8(ascii: "u") ? 4 : 8).prefix {
                Character(.init($0)).isHexDigit
            }
            for _ in digits { advance() }
            let scalar = UInt32(String(decoding: digits, as: UTF8.self), radix: 16).flatMap(Unicode.Scalar.init)
            return Array(String(Character(scalar ?? "\u{FFFD}")).utf8)
        default: return [byte]
        }
    }
}
