/// A network laid out for pictures of one size: what is done in which order, in pieces of a few milliseconds each, and
/// where everything lies. Made once for a picture; running it allocates nothing.
///
/// The units of an operation write disjoint memory and do not read each other's: in which order and on how many threads
/// they run changes no bit.
struct Plan: Sendable {
    /// One thing to do.
    struct Operation: Sendable {
        let kind: Kind
        /// What it is for: a module's name.
        let name: String

        enum Kind: Sendable {
            /// Calls the body with 0..<units.
            case units(
                Int, @Sendable (_ unit: Int, _ memory: PlanMemory, _ scratch: UnsafeMutablePointer<Float>) -> Void)
            /// Shows a map to whoever looks.
            case show(FeatureMap)
        }
    }

    /// Multiply-adds of a unit, which nothing interrupts: 8 ms of a fast core, 25 of a slow one.
    static let unitWork = 300 << 20

    /// Rows that a unit takes at most, however little work they are.
    static let mostRows = 96

    /// How many rows of so many multiply-adds a unit takes: no fewer than the weights are worth reading for.
    static func rows(work: Int, atLeast least: Int = 16, atMost most: Int = mostRows) -> Int {
        min(most, max(least, unitWork / max(work, 1) / least * least))
    }

    fileprivate(set) var operations: [Operation] = []
    /// Floats of memory.
    fileprivate(set) var memoryCount = 0
    /// Floats of memory that each thread needs beside it.
    fileprivate(set) var scratchCount = 0
}

/// Writes a plan down: modules ask it for memory, which they give back when nobody will read it any more, and add
/// operations.
struct PlanBuilder {
    private(set) var plan = Plan()
    /// Free stretches of memory, in order.
    private var free: [Range<Int>] = []
    /// Where the module that is being written stands.
    private var scope: [String] = []

    /// Stretches begin at multiples of this, so that vectors are aligned.
    private static let alignment = 16

    /// Memory for features; what was in it before is still there.
    mutating func map(_ images: Int, _ height: Int, _ width: Int, _ channels: Int) -> FeatureMap {
        let count = Self.padded(images * height * width * channels)
        let start: Int
        if let index = free.firstIndex(where: { $0.count >= count }) {
            start = free[index].lowerBound
            free[index] = start + count..<free[index].upperBound
            if free[index].isEmpty { free.remove(at: index) }
        } else if let last = free.last, last.upperBound == plan.memoryCount {
            start = last.lowerBound
            free.removeLast()
            plan.memoryCount = start + count
        } else {
            start = plan.memoryCount
            plan.memoryCount += count
        }
        return FeatureMap(start: start, images: images, height: height, width: width, channels: channels)
    }

    /// Memory of the same shape as another map, with other channels.
    mutating func map(like other: FeatureMap, channels: Int? = nil) -> FeatureMap {
        map(other.images, other.height, other.width, channels ?? other.channels)
    }

    /// Memory for `rows` rows of numbers.
    mutating func rows(_ rows: Int, _ size: Int) -> FeatureMap { map(rows, 1, 1, size) }

    /// Gives memory back: later operations may write there.
    mutating func release(_ map: FeatureMap) {
        let range = map.start..<map.start + Self.padded(map.count)
        guard !range.isEmpty else { return }
        let index = free.firstIndex { $0.lowerBound > range.lowerBound } ?? free.count
        precondition(index == 0 || free[index - 1].upperBound <= range.lowerBound, "released twice")
        precondition(index == free.count || free[index].lowerBound >= range.upperBound, "released twice")
        free.insert(range, at: index)
        if index + 1 < free.count, free[index].upperBound == free[index + 1].lowerBound {
            free[index] = free[index].lowerBound..<free[index + 1].upperBound
            free.remove(at: index + 1)
        }
        if index > 0, free[index - 1].upperBound == free[index].lowerBound {
            free[index - 1] = free[index - 1].lowerBound..<free[index].upperBound
            free.remove(at: index)
        }
    }

    private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    /// Adds an operation of so many units, each of which may use `scratch` floats of its thread.
    mutating func add(
        units: Int, scratch: Int = 0,
        _ body: @escaping @Sendable (_ unit: Int, _ memory: PlanMemory, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        plan.scratchCount = max(plan.scratchCount, Self.padded(scratch))
        plan.operations.append(Plan.Operation(kind: .units(units, body), name: scope.joined(separator: ".")))
    }

    /// Shows a map, under the name of the module that is being written, to whoever looks while the plan runs.
    mutating func show(_ map: FeatureMap) {
        plan.operations.append(Plan.Operation(kind: .show(map), name: scope.joined(separator: ".")))
    }

    /// Writes a module down under its name.
    mutating func module<R>(_ name: String, _ body: (inout PlanBuilder) -> R) -> R {
        scope.append(name)
        defer { scope.removeLast() }
        return body(&self)
    }
}
