/// What a picture file may ask for. A file that wants more is refused by its header, before anything of it is decoded.
///
/// Memory while a picture is decoded, in bytes for each pixel: 3 for the result, and beside it nothing for PNG and most
/// JPEG files, at most 8 for JPEG files of several scans (progressive ones), at most 7 for WebP.
public struct ImageLimits: Sendable, Equatable {
    /// The most bytes that the file may have.
    public var bytes = 64 << 20
    /// The most pixels.
    public var pixels = 64_000_000
    /// The longest side, in pixels.
    public var side = 16_384

    /// 64 MiB, 64 million pixels, sides of 16,384.
    public init() {}

    /// Throws when a picture is larger.
    func check(width: Int, height: Int) throws(ImageFileError) {
        guard max(width, height) <= side else {
            throw .tooLarge("it is \(width) × \(height), and a side may have \(side) pixels")
        }
        guard width * height <= pixels else {
            throw .tooLarge("it is \(width) × \(height), and it may have \(pixels) pixels")
        }
    }
}
