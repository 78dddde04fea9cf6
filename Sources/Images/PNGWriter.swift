internal import CImageFiles

/// A PNG file of 8-bit RGB with text chunks, made in memory and in pieces: between two calls the caller may let more
/// urgent work in, or give up.
///
///     let writer = try PNGWriter(width: image.width, height: image.height, text: [("Software", "anygptd")])
///     while try writer.step(image) { await Task.yield() }
///     let file = try writer.finish()
public final class PNGWriter {
    private let width: Int
    private let height: Int
    private var written = 0
    private var writer: OpaquePointer?

    /// Pixels that a step takes: about 10 ms.
    private static let pixelsPerStep = 128 << 10

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - text: keywords and their texts, in the order in which they are written. Each becomes a `tEXt` chunk where it
    ///     is ASCII, else an `iTXt` chunk, which is UTF-8. A keyword has 1 to 79 printable ASCII characters, without
    ///     spaces at its ends and without two of them together; a text has no zero character.
    ///   - compression: zlib's level, 0 to 9.
    public init(
        width: Int, height: Int, text: [(keyword: String, text: String)] = [], compression: Int = 6
    ) throws(ImageFileError) {
        precondition(width > 0 && height > 0 && (0...9).contains(compression))
        for entry in text { try Self.check(entry.keyword, entry.text) }
        self.width = width
        self.height = height
        let owned = text.map { entry in
            (
                keyword: Self.copy(entry.keyword), text: Self.copy(entry.text),
                isASCII: entry.text.utf8.allSatisfy { $0 < 128 }
            )
        }
        defer {
            for entry in owned {
                entry.keyword.deallocate()
                entry.text.deallocate()
            }
        }
        let chunks = owned.map {
            cimage_text(
                keyword: $0.keyword.baseAddress, text: $0.text.baseAddress, is_utf8: $0.isASCII ? 0 : 1)
        }
        var writer: OpaquePointer?
        try Status.check(.png) { reason, size in
            cimage_writer_open(
                UInt32(width), UInt32(height), chunks, chunks.count, Int32(compression), &writer, reason, size)
        }
        self.writer = writer
    }

    private static func check(_ keyword: String, _ text: String) throws(ImageFileError) {
        let isPrintable = keyword.utf8.allSatisfy { (32...126).contains($0) }
        guard (1...79).contains(keyword.utf8.count), isPrintable, !keyword.hasPrefix(" "), !keyword.hasSuffix(" "),
            !keyword.contains("  ")
        else {
            throw .unsuitableText("a keyword has 1 to 79 printable characters and no spaces at its ends")
        }
        guard !text.utf8.contains(0) else { throw .unsuitableText("that of \(keyword) has a zero character") }
    }

    private static func copy(_ text: String) -> UnsafeMutableBufferPointer<CChar> {
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.utf8.count + 1)
        _ = copy.initialize(from: text.utf8.map(CChar.init(bitPattern:)) + [0])
        return copy
    }

    deinit { cimage_writer_close(writer) }

    /// Compresses the next rows of a picture of the file's size. False when it has them all.
    public func step(_ image: RGBImage) throws(ImageFileError) -> Bool {
        precondition(image.width == width && image.height == height, "a picture of another size")
        let rows = min(max(1, Self.pixelsPerStep / width), height - written)
        guard rows > 0 else { return false }
        let start = written * width * 3
        try Status.check(.png) { reason, size in
            image.bytes.withUnsafeBufferPointer { bytes in
                cimage_writer_rows(writer, bytes.baseAddress.map { $0 + start }, UInt32(rows), reason, size)
            }
        }
        written += rows
        return written < height
    }

    /// The file's bytes, once `step` has returned false.
    public func finish() throws(ImageFileError) -> [UInt8] {
        precondition(written == height, "the picture is not complete")
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        try Status.check(.png) { reason, size in cimage_writer_finish(writer, &bytes, &count, reason, size) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}

extension RGBImage {
    /// The picture as a PNG file with text chunks, in one piece; see `PNGWriter`.
    public func png(text: [(keyword: String, text: String)] = []) throws(ImageFileError) -> [UInt8] {
        let writer = try PNGWriter(width: width, height: height, text: text)
        while try writer.step(self) {}
        return try writer.finish()
    }
}
