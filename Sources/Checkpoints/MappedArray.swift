import Tensors

/// A tensor's elements where they lie in a mapped file, in the number type of the file, dense and row-major: nothing is
/// copied, and what is not read is not even loaded.
public struct MappedArray: Sendable {
    /// The number type of the elements.
    public let dtype: DType
    /// The extents, outermost first; empty for a scalar.
    public let shape: [Int]
    private let file: MappedFile
    private let byteOffset: Int

    init?(_ stored: StoredTensor) {
        guard stored.isContiguous, case .mapped(let file, let range) = stored.storage else { return nil }
        dtype = stored.dtype
        shape = stored.shape
        self.file = file
        byteOffset = range.lowerBound + stored.offset * stored.dtype.size
    }

    /// Lends the elements as raw little-endian words of their size, which need not be aligned.
    public func withElements<Word: FixedWidthInteger & UnsignedInteger, R>(
        as _: Word.Type, _ body: (UnsafePointer<Word>) -> R
    ) -> R {
        precondition(MemoryLayout<Word>.size == dtype.size)
        return withExtendedLifetime(file) {
            guard let base = file.bytes.baseAddress else { preconditionFailure("a file without bytes") }
            return body((base + byteOffset).assumingMemoryBound(to: Word.self))
        }
    }
}
