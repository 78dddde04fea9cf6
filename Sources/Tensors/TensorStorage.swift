#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The memory behind tensors: allocated by us, or a part of a mapped file that is kept alive.
///
/// Invariant (of the unchecked conformance): the floats are written only through `Tensor.mutate`, which has made sure
/// that no other tensor shares this storage, and never where they belong to a mapped file.
final class TensorStorage: @unchecked Sendable {
    private static let hugePage = 2 << 20

    let floats: UnsafeMutablePointer<Float>
    let count: Int
    /// The file that the floats lie in; nil when they are our own.
    let file: MappedFile?

    /// `count` floats of whatever was in memory, aligned for the widest vectors.
    init(uninitialized count: Int) {
        precondition(count >= 0)
        var memory: UnsafeMutableRawPointer?
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let isLarge = bytes >= Self.hugePage
        let result = posix_memalign(&memory, isLarge ? Self.hugePage : 64, bytes)
        guard result == 0, let memory else { preconditionFailure("out of memory for \(count) floats") }
        // A matrix of 16 MB is 4096 small pages, twice what a processor keeps the addresses of: read again and again (an
        // LSTM's weights, once for each frame) it comes 1.7 times as fast from large ones. A hint: it may be refused.
        if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
        floats = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        self.count = count
        file = nil
    }

    init(file: MappedFile, byteOffset: Int, count: Int) {
        let start = UnsafeMutableRawPointer(mutating: file.base).advanced(by: byteOffset)
        floats = start.assumingMemoryBound(to: Float.self)
        self.count = count
        self.file = file
    }

    deinit { if file == nil { free(floats) } }
}
