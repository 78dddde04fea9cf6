import Tensors

/// diffusers' `FeedForward` with a gated GELU, pixel by pixel.
///
/// It is planned as two operations, each of which takes some of the outputs at a time where there are many channels:
/// otherwise a unit would either last too long, or read a hundred megabytes of weights for a handful of pixels.
struct FeedForward: Sendable {
    /// `net.0.proj`: four times the channels, and as many gates behind them.
    let widening: Linear
    /// `net.2`
    let narrowing: Linear

    private var channels: Int { narrowing.outputs }

    init(_ parameters: any ParameterSource, channels: Int) throws {
        let network = parameters["net"]
        widening = try Linear(network["0"]["proj"], inputs: channels, outputs: 8 * channels)
        narrowing = try Linear(network["2"], inputs: 4 * channels, outputs: channels)
    }

    /// x += narrowing(gelu(gates) · values) of norm(x), in place; a unit takes about so many multiply-adds.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap, norm: LayerNorm, unitWork: Int = Plan.unitWork) {
        let (channels, wide) = (channels, 4 * channels)
        let gated = b.map(like: x, channels: wide)
        // The gates of some columns begin at a whole panel only where those of all do.
        let inParts = wide % Int(CK_PANEL) == 0
        Self.forColumns(
            &b, x, inputs: 2 * channels, outputs: wide, unitWork: inParts ? unitWork : .max, scratch: channels,
            perColumn: 2
        ) { first, rows, columns, memory, scratch in
            let (normed, pairs) = (scratch, scratch + rows * channels)
            norm.apply(memory.at(x, 0, first), rows: rows, into: normed)
            let width = columns.count
            if width == wide {
                widening.apply(normed, rows: rows, into: pairs)
            } else {
                let gates = wide + columns.lowerBound..<wide + columns.upperBound
                widening.apply(normed, rows: rows, into: pairs, ldc: 2 * width, columns: columns)
                widening.apply(normed, rows: rows, into: pairs + width, ldc: 2 * width, columns: gates)
            }
            for row in 0..<rows {
                kernels.geglu_f32(
                    memory.at(gated, 0, first + row) + columns.lowerBound, pairs + row * 2 * width, 1, width)
            }
        }
        Self.forColumns(&b, x, inputs: wide, outputs: channels, unitWork: unitWork) { first, rows, columns, memory, _ in
            narrowing.apply(
                memory.at(gated, 0, first), rows: rows, into: memory.at(x, 0, first) + columns.lowerBound,
                ldc: channels, columns: columns, adding: true)
        }
        b.release(gated)
    }

    /// Adds an operation over the pixels of all pictures and the outputs of a product, some of both at a time.
    ///
    /// - Parameters:
    ///   - scratch: floats that a row needs, and `perColumn` those that it needs for each of a unit's outputs.
    private static func forColumns(
        _ b: inout PlanBuilder, _ x: FeatureMap, inputs: Int, outputs: Int, unitWork: Int, scratch: Int = 0,
        perColumn: Int = 0,
        _ body:
            @escaping @Sendable (
                _ first: Int, _ rows: Int, _ columns: Range<Int>, _ memory: PlanMemory,
                _ scratch: UnsafeMutablePointer<Float>
            ) -> Void
    ) {
        let (total, panel, chunk) = (x.images * x.pixels, Int(CK_PANEL), Plan.mostRows)
        let width = min(outputs, max(1, unitWork / (chunk * inputs * panel)) * panel)
        let groups = (outputs + width - 1) / width
        let units = (total + chunk - 1) / chunk * groups
        b.add(units: units, scratch: chunk * (scratch + perColumn * width)) { unit, memory, scratch in
            let (first, column) = (unit / groups * chunk, unit % groups * width)
            body(first, min(chunk, total - first), column..<min(outputs, column + width), memory, scratch)
        }
    }
}
