/// A picture of 8-bit red, green and blue, without transparency.
public struct RGBImage: Sendable, Equatable {
    /// Pixels in a row; at least 1.
    public let width: Int
    /// Rows; at least 1.
    public let height: Int
    /// `[height, width, 3]`, row by row from the top.
    public let bytes: [UInt8]

    /// A picture out of its bytes, `[height, width, 3]`.
    public init(width: Int, height: Int, bytes: [UInt8]) {
        precondition(width > 0 && height > 0 && bytes.count == width * height * 3, "\(bytes.count) bytes")
        self.width = width
        self.height = height
        self.bytes = bytes
    }
}
