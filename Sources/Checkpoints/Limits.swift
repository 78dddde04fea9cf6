/// What a file may make us allocate. Real checkpoints stay far below each of these; the limits exist so that a small
/// hostile file cannot ask for a large machine.
enum Limits {
    /// Tensors that share or repeat a storage (tied weights, expanded views), and deflated entries, may together be at
    /// most this many times the size of their file, and `slack` more for small files.
    static let growth = 16
    static let slack = 1 << 20
    /// The longest pickle: some hundred thousand tensors. A 7B language model's is below 100 KB.
    static let pickleBytes = 16 << 20
    /// What a pickle's values may take in memory, per byte of it; a state dict needs about 20.
    static let pickleGrowth = 32
    /// How deep containers may lie in each other.
    static let depth = 64
    /// The largest number of dimensions.
    static let rank = 64
    /// The longest safetensors header, as in the reference implementation.
    static let jsonBytes = 100_000_000

    /// The bytes that a file of `size` bytes may unpack to.
    static func unpacked(from size: Int) -> Int {
        let (grown, overflow) = size.multipliedReportingOverflow(by: growth)
        return overflow || grown > Int.max - slack ? Int.max : grown + slack
    }
}
