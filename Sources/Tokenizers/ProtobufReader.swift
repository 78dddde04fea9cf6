/// Reads the fields of one protobuf message, without a schema.
struct ProtobufReader {
    /// Bytes that are no message, or a field of another wire type than expected.
    struct Malformed: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    /// One field as it lies in the message.
    struct Field {
        enum Content {
            case integer(UInt64)
            case bytes(ArraySlice<UInt8>)
            case fixed
        }

        let number: UInt64
        let content: Content

        /// The value of a varint field.
        func integer() throws(Malformed) -> UInt64 {
            guard case .integer(let value) = content else { throw Malformed("field \(number) is not an integer") }
            return value
        }

        /// The bytes of a length-delimited field: a string or a message.
        func message() throws(Malformed) -> ArraySlice<UInt8> {
            guard case .bytes(let bytes) = content else { throw Malformed("field \(number) is not bytes") }
            return bytes
        }
    }

    private var rest: ArraySlice<UInt8>

    init(_ message: ArraySlice<UInt8>) {
        rest = message
    }

    /// The next field, nil at the end of the message.
    mutating func next() throws(Malformed) -> Field? {
        if rest.isEmpty { return nil }
        let tag = try varint()
        let number = tag >> 3
        guard number > 0 else { throw Malformed("not a SentencePiece model: field number 0") }
        switch tag & 7 {
        case 0: return Field(number: number, content: .integer(try varint()))
        case 1:
            _ = try take(8)
            return Field(number: number, content: .fixed)
        case 2: return Field(number: number, content: .bytes(try take(try varint())))
        case 5:
            _ = try take(4)
            return Field(number: number, content: .fixed)
        default: throw Malformed("not a SentencePiece model: wire type \(tag & 7)")
        }
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw Malformed("not a SentencePiece model: integer of more than ten bytes") }
        }
        throw Malformed("cut off within an integer")
    }

    private mutating func take(_ count: UInt64) throws(Malformed) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw Malformed("cut off within a field of \(count) bytes") }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }
}
