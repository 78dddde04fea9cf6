internal import CImageFiles

/// What the C functions return, as errors.
enum Status {
    /// Calls a function with room for its reason. Returns `CIMAGE_DONE` or `CIMAGE_MORE`.
    @discardableResult
    static func check(
        _ format: ImageFormat, _ body: (UnsafeMutablePointer<CChar>, Int) -> cimage_status
    ) throws(ImageFileError) -> cimage_status {
        var reason = [CChar](repeating: 0, count: 200)
        let status = reason.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { body($0, buffer.count) } ?? CIMAGE_NO_MEMORY
        }
        switch status {
        case CIMAGE_DONE, CIMAGE_MORE: return status
        case CIMAGE_TRUNCATED: throw .truncated(format)
        case CIMAGE_UNSUPPORTED: throw .unsupported("a \(format.name) file of this kind (\(text(reason)))")
        case CIMAGE_NO_MEMORY: throw .outOfMemory
        default: throw .corrupt(format, text(reason))
        }
    }

    private static func text(_ reason: [CChar]) -> String {
        String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
