internal import CImageFiles

/// A picture file while it is decoded, in pieces of some milliseconds: between two of them the caller may let more urgent
/// work in, or give up.
///
///     let decoder = try ImageDecoder(file)
///     while try decoder.step() { await Task.yield() }
///     let image = decoder.image
///
/// The pixels are those of Pillow's `Image.open(file).convert("RGB")`, which SEED was trained on:
/// - they stay as they are stored, whatever orientation the EXIF data tells;
/// - transparency is dropped, not blended: what lies under transparent pixels is seen;
/// - grey is repeated over the three channels, a palette gives its colours, CMYK is read with Adobe's inverted inks;
/// - colour profiles and gamma are passed over;
/// - of an animation the first picture is taken: in a WebP on its canvas of black, in a PNG the one that viewers show
///   which know of no animation.
///
/// Where a PNG has 16 bits a channel, the high byte is taken, as Pillow does it for colours; for grey Pillow clips at 255,
/// by which all but black turns white, and we do not.
public final class ImageDecoder {
    private let file: FileBytes
    private let format: ImageFormat
    private let width: Int
    private let height: Int
    private var reader: OpaquePointer?
    private var pixels: [UInt8] = []

    /// About a millisecond of work for each megapixel of a row's width: pieces stay below 20 ms up to the longest side.
    private static let pixelsPerStep = 512 << 10

    /// Reads the header of a file. Throws when it is no picture that is read, is damaged there, or is beyond a limit.
    public init(_ bytes: [UInt8], limits: ImageLimits = ImageLimits()) throws(ImageFileError) {
        guard bytes.count <= limits.bytes else {
            throw .tooLarge("its file has \(bytes.count) bytes, and \(limits.bytes) are allowed")
        }
        let file = FileBytes(bytes)
        let format = try ImageFormat(signature: UnsafeRawBufferPointer(file.bytes))
        var reader: OpaquePointer?
        var (width, height): (UInt32, UInt32) = (0, 0)
        try Status.check(format) { reason, size in
            cimage_open(format.code, file.bytes.baseAddress, file.bytes.count, &reader, &width, &height, reason, size)
        }
        self.file = file
        self.format = format
        self.reader = reader
        (self.width, self.height) = (Int(width), Int(height))
        guard width > 0, height > 0 else { throw .corrupt(format, "it has no pixels") }
        try limits.check(width: self.width, height: self.height)
    }

    deinit { cimage_close(reader) }

    /// What the header tells.
    public var info: ImageInfo { ImageInfo(format: format, width: width, height: height) }

    /// Decodes a piece. False when the picture is complete.
    ///
    /// Throws when the file is damaged or ends too early; there is no picture then, and no further step.
    public func step() throws(ImageFileError) -> Bool {
        guard let reader else { return false }
        if pixels.isEmpty { pixels = [UInt8](repeating: 0, count: width * height * 3) }
        let rows = UInt32(max(1, Self.pixelsPerStep / width))
        var status = CIMAGE_DONE
        do {
            status = try Status.check(format) { reason, size in
                pixels.withUnsafeMutableBufferPointer { cimage_step(reader, $0.baseAddress, rows, reason, size) }
            }
        } catch {
            close()
            pixels = []
            throw error
        }
        if status == CIMAGE_DONE { close() }
        return status == CIMAGE_MORE
    }

    /// The picture, once `step` has returned false.
    public var image: RGBImage {
        precondition(reader == nil && !pixels.isEmpty, "the picture is not complete")
        return RGBImage(width: width, height: height, bytes: pixels)
    }

    private func close() {
        cimage_close(reader)
        reader = nil
    }
}

/// A copy of a file in a place of its own, which the libraries read from while the decoder lives.
private final class FileBytes {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ source: [UInt8]) {
        bytes = .allocate(capacity: source.count)
        _ = bytes.initialize(from: source)
    }

    deinit { bytes.deallocate() }
}

/// What a picture file's header tells.
public struct ImageInfo: Sendable, Equatable {
    /// The kind of file.
    public let format: ImageFormat
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
}

extension ImageFormat {
    fileprivate var code: cimage_format {
        switch self {
        case .png: CIMAGE_PNG
        case .jpeg: CIMAGE_JPEG
        case .webp: CIMAGE_WEBP
        }
    }
}
