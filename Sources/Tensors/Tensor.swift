/// fp32 values in row-major order with a shape: a value type whose storage is shared until somebody writes.
///
/// Networks keep sequences with time first, `[frames, channels]`, so that a piece of a stream is a range of rows, a
/// convolution is one matrix product over overlapping rows, and appending is copying to the end.
public struct Tensor: Sendable {
    /// The extent of each dimension, outermost first.
    public private(set) var shape: [Int]
    private var storage: TensorStorage
    private var offset: Int

    /// The number of values.
    public var count: Int { shape.reduce(1, *) }
    /// The first extent: for a sequence, its frames.
    public var rows: Int { shape[0] }
    /// The number of values in a row: the product of all extents but the first.
    public var rowCount: Int { shape.dropFirst().reduce(1, *) }

    private init(storage: TensorStorage, offset: Int, shape: [Int]) {
        self.storage = storage
        self.offset = offset
        self.shape = shape
    }

    /// A tensor whose values are whatever was in memory: for code that writes all of them at once.
    public init(uninitialized shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 }, "negative extent in \(shape)")
        self.init(storage: TensorStorage(uninitialized: shape.reduce(1, *)), offset: 0, shape: shape)
    }

    /// A tensor of zeros.
    public init(zeros shape: [Int]) {
        self.init(uninitialized: shape)
        storage.floats.update(repeating: 0, count: count)
    }

    /// A tensor with these values in row-major order.
    public init(_ values: [Float], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
        self.init(uninitialized: shape)
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { storage.floats.update(from: base, count: source.count) }
        }
    }

    /// The little-endian fp32 values at `byteOffset` of a mapped file, without copying. The file must be long enough and
    /// the offset a multiple of 4: who reads files checks that first.
    public init(mapped file: MappedFile, byteOffset: Int, shape: [Int]) {
        let count = shape.reduce(1, *)
        precondition(byteOffset >= 0 && byteOffset % 4 == 0 && count >= 0 && count <= (file.count - byteOffset) / 4)
        self.init(storage: TensorStorage(file: file, byteOffset: byteOffset, count: count), offset: 0, shape: shape)
    }

    /// The values for reading, valid inside `body`.
    @inlinable
    public func read<R, E: Error>(_ body: (UnsafePointer<Float>) throws(E) -> R) throws(E) -> R {
        try withExtendedStorage(body)
    }

    @usableFromInline
    func withExtendedStorage<R, E: Error>(_ body: (UnsafePointer<Float>) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafePointer(storage.floats + offset))
    }

    /// The values for writing, valid inside `body`; copied first when another tensor shares them.
    public mutating func mutate<R, E: Error>(_ body: (UnsafeMutablePointer<Float>) throws(E) -> R) throws(E) -> R {
        if storage.file != nil || !isKnownUniquelyReferenced(&storage) {
            let copy = TensorStorage(uninitialized: count)
            copy.floats.update(from: storage.floats + offset, count: count)
            storage = copy
            offset = 0
        }
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.floats + offset)
    }

    /// The same values in another shape.
    public func reshaped(_ newShape: [Int]) -> Tensor {
        precondition(newShape.reduce(1, *) == count, "\(shape) cannot become \(newShape)")
        return Tensor(storage: storage, offset: offset, shape: newShape)
    }

    /// A range of the first dimension, sharing the storage.
    public subscript(rows range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
        var part = shape
        part[0] = range.count
        return Tensor(storage: storage, offset: offset + range.lowerBound * rowCount, shape: part)
    }

    /// The values as an array.
    public var values: [Float] {
        read { source in Array(UnsafeBufferPointer(start: source, count: count)) }
    }

    /// A dense matrix with rows and columns exchanged.
    public var transposed: Tensor {
        precondition(shape.count == 2)
        let (n, m) = (shape[0], shape[1])
        return Tensor(generating: [m, n]) { target in
            read { source in
                for i in 0..<n { for j in 0..<m { target[j * n + i] = source[i * m + j] } }
            }
        }
    }

    /// A tensor whose values are all written by `body`.
    public init(generating shape: [Int], _ body: (UnsafeMutablePointer<Float>) -> Void) {
        self.init(uninitialized: shape)
        body(storage.floats)
    }

    /// These tensors one after the other along the first dimension.
    public static func concatenated(_ parts: [Tensor]) -> Tensor {
        precondition(!parts.isEmpty && parts.allSatisfy { $0.shape.dropFirst() == parts[0].shape.dropFirst() })
        if parts.count == 1 { return parts[0] }
        var shape = parts[0].shape
        shape[0] = parts.reduce(0) { $0 + $1.shape[0] }
        return Tensor(generating: shape) { target in
            var next = target
            for part in parts {
                part.read { next.update(from: $0, count: part.count) }
                next += part.count
            }
        }
    }
}
