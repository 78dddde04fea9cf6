import Compute
import Layers
import Tensors

/// The way through a network as a list of operations, each made of pieces that do not depend on each other: a step takes
/// some of them, shared between the compute threads, and ends after some milliseconds.
///
/// A full-size picture is a quarter of a million million multiply-adds: nobody who is listening waits for all of them.
final class Pieces {
    private struct Operation {
        let count: Int
        /// Multiply-adds of a piece.
        let work: Int
        let run: (Int) -> Void
    }

    private var operations: [Operation] = []
    private var owners: [AnyObject] = []
    private var current = 0
    private var next = 0

    /// Multiply-adds of a step for each thread: about 10 ms.
    private static let workPerStep = 256 << 20

    /// Adds an operation of `count` pieces that begins when all before it are done.
    func add(_ count: Int = 1, work: Int = 0, _ run: @escaping (Int) -> Void) {
        operations.append(Operation(count: count, work: work, run: run))
    }

    /// Keeps something alive until all pieces are done: operations hold pointers into it.
    func keep(_ owner: AnyObject) { owners.append(owner) }

    /// Does some pieces. False when all are done.
    func step() -> Bool {
        let pool = ComputePool.shared
        var left = Self.workPerStep * pool.threadCount
        while left > 0, current < operations.count {
            let operation = operations[current]
            let count = min(operation.count - next, max(1, left / max(operation.work, 1)))
            let first = next
            pool.parallelFor(count) { operation.run(first + $0) }
            left -= count * operation.work
            next += count
            if next == operation.count { (current, next) = (current + 1, 0) }
        }
        return current < operations.count
    }
}

extension Pieces {
    /// What follows a product, on the values of a tile.
    enum Activation {
        case none
        /// The exact one, with the error function.
        case gelu
        case relu
        case tanh
    }

    /// y = layer(x), or y += layer(x), for `rows` rows.
    func add(
        _ layer: MappedLinear, _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>,
        adding: Bool = false, then activation: Activation = .none
    ) {
        add(layer.tiles, work: rows * layer.inputs * min(MappedLinear.tile, layer.outputs)) { tile in
            layer.multiply(tile: tile, x, rows: rows, into: y, adding: adding)
            let part = layer.outputs(of: tile)
            guard activation != .none else { return }
            for row in 0..<rows {
                Self.apply(activation, y + row * layer.outputs + part.lowerBound, part.count)
            }
        }
    }

    private static func apply(_ activation: Activation, _ x: UnsafeMutablePointer<Float>, _ count: Int) {
        switch activation {
        case .none: break
        case .gelu: kernels.gelu_f32(x, x, count)
        case .relu: for index in 0..<count { x[index] = max(x[index], 0) }
        case .tanh: for index in 0..<count { x[index] = Float(hyperbolicTangent: x[index]) }
        }
    }

    /// y = norm(x (+ added)), for `rows` rows; y may be x.
    func add(
        _ norm: LayerNorm, _ x: UnsafeMutablePointer<Float>, plus added: UnsafePointer<Float>? = nil, rows: Int,
        into y: UnsafeMutablePointer<Float>
    ) {
        let chunk = 64
        add((rows + chunk - 1) / chunk, work: chunk * norm.size * 8) { piece in
            let first = piece * chunk
            let (count, place) = (min(chunk, rows - first), first * norm.size)
            if let added { kernels.add_f32(x + place, added + place, count * norm.size) }
            norm.apply(x + place, rows: count, into: y + place)
        }
    }
}
