/// The kinds of picture files that are read.
public enum ImageFormat: String, Sendable, CaseIterable {
    case png, jpeg, webp

    /// What HTTP calls it.
    public var mediaType: String { "image/\(rawValue)" }

    /// The format that a file's first bytes tell; names and media types are never believed.
    init(signature bytes: UnsafeRawBufferPointer) throws(ImageFileError) {
        func begins(_ signature: String, at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: signature.utf8)
        }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if begins("RIFF"), begins("WEBP", at: 8) {
            self = .webp
        } else if bytes.isEmpty {
            throw .notAPicture("the file is empty")
        } else if begins("GIF8") {
            throw .unsupported("a GIF")
        } else if begins("BM") {
            throw .unsupported("a BMP")
        } else if bytes.starts(with: [0x49, 0x49, 0x2A, 0]) || bytes.starts(with: [0x4D, 0x4D, 0, 0x2A]) {
            throw .unsupported("a TIFF")
        } else if begins("ftyp", at: 4) {
            let isAVIF = begins("avi", at: 8)
            let isHEIF = ["hei", "hev", "mif", "msf"].contains { begins($0, at: 8) }
            throw isAVIF ? .unsupported("an AVIF") : isHEIF ? .unsupported("a HEIC") : .notAPicture("it is a film")
        } else if bytes.starts(with: [0xFF, 0x0A]) || begins("JXL ", at: 4) {
            throw .unsupported("a JPEG XL")
        } else if begins("<svg") || begins("<?xml") {
            throw .unsupported("an SVG")
        } else if begins("%PDF") {
            throw .unsupported("a PDF")
        } else {
            throw .notAPicture("its first bytes are those of no picture")
        }
    }
}
