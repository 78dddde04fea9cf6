import Compute
import Tensors

/// A plan that is being run, piece by piece.
final class PlanRun {
    let plan: Plan
    /// Is given the maps that the plan shows.
    var onShow: ((_ name: String, _ value: Tensor) -> Void)?

    private let memory: FloatBuffer
    private let scratch: FloatBuffer
    private let threads = ComputePool.shared.threadCount
    private var operation = 0
    private var unit = 0

    /// Allocates the plan's memory.
    init(_ plan: Plan) {
        self.plan = plan
        memory = FloatBuffer(zeros: plan.memoryCount)
        scratch = FloatBuffer(zeros: plan.scratchCount * threads)
    }

    /// Bytes that running a plan takes.
    static func bytes(_ plan: Plan) -> Int {
        4 * (plan.memoryCount + plan.scratchCount * ComputePool.shared.threadCount)
    }

    /// Whether everything is done.
    var isDone: Bool { operation == plan.operations.count }

    /// What is done next: a module's name.
    var module: String { isDone ? "" : plan.operations[operation].name }

    /// Begins again from the first operation, in the memory as it is.
    func restart() { (operation, unit) = (0, 0) }

    /// Runs units until the time is over or all are done; at least one for each thread.
    func advance(for duration: Duration) {
        let end = ContinuousClock.now + duration
        while !isDone {
            switch plan.operations[operation].kind {
            case .show(let map):
                if let onShow { onShow(plan.operations[operation].name, picture(map)) }
                operation += 1
            case .units(let units, let body):
                let count = min(threads, units - unit)
                let (first, size) = (unit, plan.scratchCount)
                let (memory, scratch) = (PlanMemory(base: memory.pointer), scratch.pointer)
                ComputePool.shared.parallelFor(count) { share in
                    body(first + share, memory, scratch + share * size)
                }
                unit += count
                if unit >= units { (operation, unit) = (operation + 1, 0) }
                if ContinuousClock.now >= end { return }
            }
        }
    }

    /// Writes `[images, channels, height, width]` values, as the reference orders them, into a map.
    func write(_ values: [Float], to map: FeatureMap) {
        precondition(values.count == map.count)
        let target = memory.pointer + map.start
        for image in 0..<map.images {
            for channel in 0..<map.channels {
                let from = (image * map.channels + channel) * map.pixels
                for pixel in 0..<map.pixels {
                    target[image * map.plane + pixel * map.channels + channel] = values[from + pixel]
                }
            }
        }
    }

    /// Reads a map as `[images, channels, height, width]`; a map of single rows as `[rows, channels]`.
    func picture(_ map: FeatureMap) -> Tensor {
        let source = memory.pointer + map.start
        let isRows = map.pixels == 1
        let shape = isRows ? [map.images, map.channels] : [map.images, map.channels, map.height, map.width]
        return Tensor(generating: shape) { target in
            for image in 0..<map.images {
                for channel in 0..<map.channels {
                    let to = (image * map.channels + channel) * map.pixels
                    for pixel in 0..<map.pixels {
                        target[to + pixel] = source[image * map.plane + pixel * map.channels + channel]
                    }
                }
            }
        }
    }

    /// The values of a map, pixel by pixel.
    func values(_ map: FeatureMap) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: memory.pointer + map.start, count: map.count)
    }
}
