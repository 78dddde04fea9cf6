import Tensors

/// Rows that are appended at the end and dropped at the front: the memory of a streaming layer.
public struct SlidingRows {
    /// Values in a row.
    public let channels: Int
    private var values: [Float] = []
    private var head = 0

    /// No rows yet.
    public init(channels: Int) { self.channels = channels }

    /// Rows that are held now.
    public var count: Int { values.count / channels - head }

    /// Adds rows at the end.
    public mutating func append(_ x: Tensor) {
        precondition(x.rowCount == channels || x.count == 0)
        x.read { values.append(contentsOf: UnsafeBufferPointer(start: $0, count: x.count)) }
    }

    /// Forgets rows at the front; the memory is moved together when half of it is unused.
    public mutating func dropFirst(_ rows: Int) {
        precondition(rows <= count)
        head += rows
        if head * channels > values.count / 2 {
            values.removeFirst(head * channels)
            head = 0
        }
    }

    /// The held rows for reading.
    public func read<R>(_ body: (UnsafePointer<Float>) -> R) -> R {
        values.withUnsafeBufferPointer { buffer in
            // An empty array has no address; no row is read from it either.
            guard let base = buffer.baseAddress else { return withUnsafePointer(to: 0) { body($0) } }
            return body(base + head * channels)
        }
    }

    /// A copy of some of the held rows.
    public subscript(_ range: Range<Int>) -> Tensor {
        precondition(range.upperBound <= count)
        return Tensor(generating: [range.count, channels]) { target in
            read { target.update(from: $0 + range.lowerBound * channels, count: range.count * channels) }
        }
    }
}
