internal import COpus

/// A call of libopus that failed.
public struct OpusError: Error, Equatable, CustomStringConvertible {
    /// What was being done.
    public enum Operation: String, Sendable {
        case createDecoder = "create a decoder"
        case decode = "decode a packet"
        case conceal = "conceal a lost packet"
        case inspect = "read a packet's header"
        case createEncoder = "create an encoder"
        case encode = "encode a frame"
    }

    /// What was being done.
    public let operation: Operation

    /// libopus's error code, such as `OPUS_INVALID_PACKET` (-4).
    public let code: Int32

    /// A failure of a call.
    public init(operation: Operation, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Whether the packet is to blame: it breaks the rules of RFC 6716, section 3.4.
    public var isMalformedPacket: Bool { code == OPUS_INVALID_PACKET }

    /// What failed, in libopus's words and with its code.
    public var description: String {
        "Opus could not \(operation.rawValue): \(String(cString: opus_strerror(code))) (\(code))"
    }
}

extension OpusError {
    /// The result of a libopus call: a count, or a negative code that is thrown.
    static func check(_ result: Int32, _ operation: Operation) throws(OpusError) -> Int {
        guard result >= 0 else { throw OpusError(operation: operation, code: result) }
        return Int(result)
    }
}
