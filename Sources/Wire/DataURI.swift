import Foundation

/// What a `data:` URI holds (RFC 2397), such as the picture of an `input_image`.
public struct DataURI: Equatable, Sendable {
    /// The media type without parameters, in lower case: `image/png`.
    public var mediaType: String
    /// The bytes.
    public var bytes: [UInt8]

    /// Reads a URI with base64 data; nil for another.
    public init?(_ text: String) {
        guard text.utf8.prefix(5).elementsEqual("data:".utf8), let comma = text.utf8.firstIndex(of: UInt8(ascii: ","))
        else { return nil }
        let head = text[text.utf8.index(text.startIndex, offsetBy: 5)..<comma].split(
            separator: ";", omittingEmptySubsequences: false)
        guard head.count > 1, head.last == "base64",
            let data = Data(base64Encoded: Data(text.utf8[text.utf8.index(after: comma)...]))
        else { return nil }
        mediaType = head[0].lowercased()
        bytes = Array(data)
    }
}
