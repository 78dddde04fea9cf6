/// Decodes pieces one at a time, the way `SentencePieceProcessor::Decode` of SentencePiece 0.1.99 decodes a whole list.
///
/// Bytes of byte pieces are held back until they form a scalar or cannot any more: never more than three of them.
struct PieceDecoder {
    private var heldBack: [UInt8] = []
    private var isEmpty = true
    private var expectsLeadingSpace = true
    private var droppedLeadingSpace = false

    private static let space = Array("\u{2581}".utf8)
    private static let replacement = Array("\u{FFFD}".utf8)

    /// Appends what is certain after the piece `id`. With `text` the piece is another string than its own: one that
    /// the tokenizer has cut, which then is unknown (`id` nil) or another piece.
    mutating func append(_ id: Int32?, text: ArraySlice<UInt8>, of table: PieceTable, to output: inout [UInt8]) {
        let kind = id.map { table.pieces[Int($0)].kind }
        if kind == .byte, let id {
            heldBack.append(table.pieces[Int(id)].byte)
            releaseScalars(to: &output)
            return
        }
        finish(to: &output)
        if droppedLeadingSpace || !isEmpty { expectsLeadingSpace = false }
        droppedLeadingSpace = false
        switch kind {
        case nil: emit(text, to: &output)
        case .control: break
        case .unknown: emit(table.unknownSurface[...], to: &output)
        default:
            var text = text
            if expectsLeadingSpace, table.addsDummyPrefix || table.removesExtraWhitespace,
                text.starts(with: Self.space)
            {
                text = text.dropFirst(Self.space.count)
                droppedLeadingSpace = !table.removesExtraWhitespace
            }
            emitWithSpaces(text, to: &output)
        }
    }

    /// Appends what was held back; what is not UTF-8 comes out as one U+FFFD a byte.
    mutating func finish(to output: inout [UInt8]) {
        while !heldBack.isEmpty {
            emit(Self.replacement[...], to: &output)
            heldBack.removeFirst()
            releaseScalars(to: &output)
        }
    }

    private mutating func emit(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(contentsOf: text)
        if !text.isEmpty { isEmpty = false }
    }

    private mutating func emitWithSpaces(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        if !text.isEmpty { isEmpty = false }
        var rest = text
        while let byte = rest.first {
            if byte == Self.space[0], rest.starts(with: Self.space) {
                output.append(UInt8(ascii: " "))
                rest = rest.dropFirst(Self.space.count)
            } else {
                output.append(byte)
                rest = rest.dropFirst()
            }
        }
    }

    private mutating func releaseScalars(to output: inout [UInt8]) {
        while let first = heldBack.first {
            let length = Self.scalarLength(first)
            if length > heldBack.count, couldBecomeScalar { return }
            if length <= heldBack.count, String(validating: heldBack[..<length], as: UTF8.self) != nil, length > 0 {
                emit(heldBack[..<length], to: &output)
                heldBack.removeFirst(length)
            } else {
                emit(Self.replacement[...], to: &output)
                heldBack.removeFirst()
            }
        }
    }

    /// Whether the bytes held back, fewer than their first one announces, begin some scalar.
    private var couldBecomeScalar: Bool {
        for (index, byte) in heldBack.dropFirst().enumerated() {
            // The second byte's range keeps overlong forms, surrogates and what lies above U+10FFFF out.
            let allowed: ClosedRange<UInt8> =
                switch (index, heldBack[0]) {
                case (0, 0xE0): 0xA0...0xBF
                case (0, 0xED): 0x80...0x9F
                case (0, 0xF0): 0x90...0xBF
                case (0, 0xF4): 0x80...0x8F
                default: 0x80...0xBF
                }
            if !allowed.contains(byte) { return false }
        }
        return true
    }

    /// How many bytes a scalar that starts with this byte has; 0 when none does.
    private static func scalarLength(_ first: UInt8) -> Int {
        switch first {
        case 0..<0x80: 1
        case 0xC2..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0..<0xF5: 4
        default: 0
        }
    }
}
