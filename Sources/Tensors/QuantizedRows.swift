/// Rows of a network's values as whole numbers with a scale for every `CK_GROUP` neighbours: what products with
/// quantised weights take. Memory of a token loop: one owner, allocated once.
///
/// Invariant (of the unchecked conformance): the memory belongs to this value alone, which is moved, never copied.
public struct QuantizedRows: ~Copyable, @unchecked Sendable {
    /// `[rows, width]`, and for each group of `CK_GROUP` of them its scale and the sum of its values.
    public let values: UnsafeMutablePointer<Int8>
    public let scales: UnsafeMutablePointer<Float>
    public let sums: UnsafeMutablePointer<Int32>
    private let capacity: Int

    /// Memory for `rows` rows of at most `width` values.
    public init(rows: Int, width: Int) {
        capacity = max(rows * width, Int(CK_GROUP))
        let groups = capacity / Int(CK_GROUP)
        values = .allocate(capacity: capacity)
        scales = .allocate(capacity: groups)
        sums = .allocate(capacity: groups)
    }

    deinit {
        values.deallocate()
        scales.deallocate()
        sums.deallocate()
    }

    /// Takes over `rows` rows of `width` values, which is a multiple of `CK_GROUP`.
    public func quantize(_ x: UnsafePointer<Float>, rows: Int, width: Int) {
        precondition(rows * width <= capacity && width % Int(CK_GROUP) == 0, "rows too many or of an odd width")
        kernels.quantize_rows(values, scales, sums, x, rows * width)
    }
}
