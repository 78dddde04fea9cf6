/// Scratch memory of a token loop: one owner, allocated once, no reference counting when it is used.
///
/// Invariant (of the unchecked conformance): the memory belongs to this value alone, which is moved, never copied.
public struct FloatBuffer: ~Copyable, @unchecked Sendable {
    /// The first value; valid as long as this owner lives.
    public let pointer: UnsafeMutablePointer<Float>
    /// The number of values.
    public let count: Int

    /// `count` zeros, aligned for the widest vectors.
    public init(zeros count: Int) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        pointer = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        pointer.update(repeating: 0, count: max(count, 1))
        self.count = count
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }
}
