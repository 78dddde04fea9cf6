/// Puts the pieces in which libwebsockets delivers a message together again, up to a limit.
///
/// Of a message that is too long nothing is kept: from the byte that exceeds the limit on, its pieces are only counted.
struct MessageAssembler {
    private let limit: Int
    private var bytes: [UInt8] = []
    private var count = 0

    init(limit: Int) { self.limit = limit }

    /// Takes one piece; returns the message when this was its last.
    mutating func append(
        _ piece: UnsafeRawBufferPointer, isFirst: Bool, isLast: Bool, isBinary: Bool
    ) -> WebSocketMessage? {
        if isFirst {
            bytes = []
            count = 0
        }
        count = count.addingReportingOverflow(piece.count).overflow ? .max : count + piece.count
        if count <= limit {
            // Grown as bytes come in: what a frame's header announces is not believed.
            bytes.append(contentsOf: piece)
        } else {
            bytes = []
        }
        guard isLast else { return nil }
        defer {
            bytes = []
            count = 0
        }
        if count > limit { return .tooLarge(bytes: count) }
        if isBinary { return .binary(bytes) }
        return Self.isUTF8(bytes) ? .text(bytes) : .malformedText(bytes: count)
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            // ASCII, which base64 audio is, needs no decoding.
            var rest = 0
            while rest < bytes.count, bytes[rest] < 0x80 { rest += 1 }
            if rest == bytes.count { return true }
            return String(validating: bytes[rest...], as: UTF8.self) != nil
        }
    }
}
