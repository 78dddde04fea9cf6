import Tensors

/// Where a tensor's elements lie: a strided view of a storage, checked to stay inside it.
struct StoredTensor: Sendable {
    let dtype: DType
    let shape: [Int]
    /// Elements between neighbours, per dimension.
    let strides: [Int]
    /// Elements before the first.
    let offset: Int
    let storage: Storage

    /// Elements in all.
    let count: Int

    var byteCount: Int { count * dtype.size }

    /// A dense row-major tensor that fills its storage.
    init(dtype: DType, shape: [Int], filling storage: Storage) throws(FormatFault) {
        let count = try Self.count(shape, dtype)
        guard count * dtype.size == storage.byteCount else {
            throw FormatFault(
                "has \(shape) \(dtype.rawValue), which takes \(count * dtype.size) bytes, in \(storage.byteCount)")
        }
        self.init(
            dtype: dtype, shape: shape, strides: Self.rowMajorStrides(shape), offset: 0, storage: storage,
            count: count)
    }

    /// A view of a storage, as torch saves it.
    init(
        dtype: DType, shape: [Int], strides: [Int], offset: Int, of storage: Storage
    ) throws(FormatFault) {
        guard strides.count == shape.count else {
            throw FormatFault("has \(strides.count) strides for \(shape.count) dimensions")
        }
        guard offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
            throw FormatFault("has a negative stride or offset")
        }
        let count = try Self.count(shape, dtype)
        if count > 0 {
            var last = offset
            for (size, stride) in zip(shape, strides) {
                let (step, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
                let (sum, overflowToo) = last.addingReportingOverflow(step)
                guard !overflow, !overflowToo else { throw FormatFault("has strides that no memory has") }
                last = sum
            }
            guard last < storage.byteCount / dtype.size else {
                throw FormatFault(
                    "reaches element \(last) of a storage that holds \(storage.byteCount / dtype.size)")
            }
        }
        // Where nothing begins is not checked, so it is not kept either: it may be any number.
        self.init(
            dtype: dtype, shape: shape, strides: strides, offset: count > 0 ? offset : 0, storage: storage, count: count
        )
    }

    private init(dtype: DType, shape: [Int], strides: [Int], offset: Int, storage: Storage, count: Int) {
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self.storage = storage
        self.count = count
    }

    /// The number of elements, once it is sure that their bytes can be counted too.
    private static func count(_ shape: [Int], _ dtype: DType) throws(FormatFault) -> Int {
        guard shape.count <= Limits.rank else { throw FormatFault("has \(shape.count) dimensions") }
        // Sizes of 0 count as 1 here: the other sizes of an empty tensor must have a product too.
        var bytes = dtype.size
        for size in shape {
            guard size >= 0 else { throw FormatFault("has a negative size in its shape \(shape)") }
            let (product, overflow) = bytes.multipliedReportingOverflow(by: max(size, 1))
            guard !overflow else { throw FormatFault("has more elements than any memory: \(shape)") }
            bytes = product
        }
        return shape.contains(0) ? 0 : bytes / dtype.size
    }

    private static func rowMajorStrides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * max(shape[axis + 1], 1)
        }
        return strides
    }

    /// Whether the elements follow each other in row-major order.
    var isContiguous: Bool {
        guard count > 0 else { return true }
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected else { return false }
            expected *= size
        }
        return true
    }
}

/// The bytes under one or more tensors.
enum Storage: Sendable {
    /// As they are in the file.
    case mapped(MappedFile, Range<Int>)
    /// Behind zlib.
    case deflated(InflatedEntry)

    var byteCount: Int {
        switch self {
        case .mapped(_, let range): range.count
        case .deflated(let entry): entry.byteCount
        }
    }

    /// Lends the storage's bytes.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(FormatFault) -> Result {
        switch self {
        case .mapped(let file, let range):
            return withExtendedLifetime(file) { body(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
        case .deflated(let entry):
            let bytes = try entry.bytes()
            return bytes.withUnsafeBytes { body($0) }
        }
    }
}

extension StoredTensor {
    /// Lends the tensor's elements as dense row-major bytes; views that are not dense are gathered first.
    func withDenseBytes<Result>(
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(FormatFault) -> Result {
        try storage.withBytes { bytes in
            if count == 0 { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
            if isContiguous {
                let start = offset * dtype.size
                return body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + byteCount)]))
            }
            return gathered(from: bytes).withUnsafeBytes(body)
        }
    }

    /// Copies runs of neighbouring elements, as long as the strides allow, in row-major order.
    private func gathered(from bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var run = dtype.size
        var outer = shape.count
        while outer > 0, shape[outer - 1] == 1 || strides[outer - 1] * dtype.size == run {
            run *= shape[outer - 1]
            outer -= 1
        }
        return [UInt8](unsafeUninitializedCapacity: byteCount) { target, filled in
            var index = [Int](repeating: 0, count: outer)
            var source = offset
            while filled < byteCount {
                let from = UnsafeRawBufferPointer(rebasing: bytes[(source * dtype.size)...].prefix(run))
                UnsafeMutableRawBufferPointer(target).baseAddress!.advanced(by: filled)
                    .copyMemory(from: from.baseAddress!, byteCount: run)
                filled += run
                var axis = outer - 1
                while axis >= 0 {
                    // Wrapping: a dimension of size 1 may have any stride, which is added and taken away again.
                    index[axis] += 1
                    source &+= strides[axis]
                    if index[axis] < shape[axis] { break }
                    source &-= strides[axis] &* shape[axis]
                    index[axis] = 0
                    axis -= 1
                }
            }
        }
    }
}

extension MappedFile {
    /// Maps a file of a checkpoint.
    static func opened(_ path: String) throws(CheckpointError) -> MappedFile {
        do {
            return try MappedFile(path: path)
        } catch {
            throw CheckpointError(file: path, reason: "cannot be read: \(error.reason)")
        }
    }

    /// A copy of part of the file, for parsers: what they check cannot change under them.
    func copy(_ range: Range<Int>) -> [UInt8] {
        withExtendedLifetime(self) { [UInt8](bytes[range]) }
    }
}
