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
    let floats: UnsafeMutablePointer<Float>
    let count: Int
    /// The file that the floats lie in; nil when they are our own.
    let file: MappedFile?

    /// `count` floats of whatever was in memory, aligned for the widest vectors.
    init(uninitialized count: Int) {
        precondition(count >= 0)
        var memory: UnsafeMutableRawPointer?
        let result = posix_memalign(&memory, 64, max(count, 1) * MemoryLayout<Float>.stride)
        guard result == 0, let memory else { preconditionFailure("out of memory for \(count) floats") }
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
