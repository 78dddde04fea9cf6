import Tensors

/// Rows of a sequence that grows at the end and is revised in place.
struct Rows {
    private let channels: Int
    private var values: [Float] = []

    init(_ channels: Int) { self.channels = channels }

    var count: Int { values.count / channels }
    var width: Int { channels }

    mutating func append(_ x: Tensor) {
        x.read { values.append(contentsOf: UnsafeBufferPointer(start: $0, count: x.count)) }
    }

    /// Adds rows of zeros up to `count`.
    mutating func resize(_ count: Int) {
        guard count > self.count else { return }
        values.append(contentsOf: repeatElement(0, count: (count - self.count) * channels))
    }

    func read<R>(_ row: Int, _ body: (UnsafePointer<Float>) -> R) -> R {
        precondition(row >= 0 && row < count)
        return values.withUnsafeBufferPointer { body($0.baseAddress! + row * channels) }
    }

    mutating func write(_ row: Int, _ source: UnsafePointer<Float>) {
        precondition(row >= 0 && row < count)
        values.withUnsafeMutableBufferPointer {
            ($0.baseAddress! + row * channels).update(from: source, count: channels)
        }
    }

    subscript(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return Tensor(generating: [range.count, channels]) { target in
            values.withUnsafeBufferPointer {
                guard let base = $0.baseAddress else { return }
                target.update(from: base + range.lowerBound * channels, count: range.count * channels)
            }
        }
    }
}
