import Compute
import Tensors

/// A convolution of 3 × 3 taps by Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin & Gray, 2016): tiles of 6 × 6
/// pixels and the taps are transformed, multiplied position by position (36 matrix products), and transformed back into
/// 4 × 4 pixels. A quarter of the multiplications; its rounding errors are some ten times those of the direct sum, far
/// below those of half precision.
struct WinogradKernel: Sendable {
    /// For each position `[inputs, outputs]`.
    private let positions: [PackedMatrix]

    /// Whether it is faster than the direct sum: tiles and weights must be worth their transforms.
    static func pays(inputs: Int, outputs: Int, pixels: Int) -> Bool {
        inputs >= 64 && inputs % 16 == 0 && outputs >= 64 && outputs % 16 == 0 && pixels >= 576
    }

    /// The rows of G.
    private static let taps: [[Double]] = [
        [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
    ]

    /// Transforms weights `[outputs, inputs, 3, 3]`: G g Gᵀ.
    init(_ weight: Tensor) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        // Position (i, j) as nine factors.
        let factors: [[Float]] = (0..<36).map { position in
            (0..<9).map { Float(Self.taps[position / 6][$0 / 3] * Self.taps[position % 6][$0 % 3]) }
        }
        positions = factors.map { factors in
            let matrix = Tensor(generating: [outputs, inputs]) { target in
                weight.read { weight in
                    // Invariant: the shares write disjoint rows, and all have ended before the pointers do.
                    nonisolated(unsafe) let (target, weight) = (target, weight)
                    ComputePool.shared.parallelFor(outputs) { output in
                        for index in output * inputs..<(output + 1) * inputs {
                            let g = weight + index * 9
                            var sum: Float = 0
                            for tap in 0..<9 { sum += factors[tap] * g[tap] }
                            target[index] = sum
                        }
                    }
                }
            }
            return PackedMatrix(linear: matrix)
        }
    }

    func plan(
        _ b: inout PlanBuilder, _ layer: Convolution, _ input: ConvolutionInput, start: ConvolutionStart,
        _ output: FeatureMap
    ) {
        let (inputs, outputs) = (layer.inputs, layer.outputs)
        let (height, width) = (output.height, output.width)
        let (down, across) = ((height + 3) / 4, (width + 3) / 4)
        let pitch = (4 * across + 2) * inputs
        // Rows of tiles that are worth reading the weights for, and as many outputs as a unit has time for.
        let rows = min(down, (47 + across) / across)
        let bands = (down + rows - 1) / rows
        let tiles = rows * across
        let panel = Int(CK_PANEL)
        let panels = (outputs + panel - 1) / panel
        // The transforms take time, too.
        let parts = min(panels, max(1, 36 * tiles * inputs * panels * panel / (Plan.unitWork / 4 * 3)))
        let most = (panels + parts - 1) / parts * panel
        let groups = (outputs + most - 1) / most
        let (areaIn, areaOut) = (tiles * inputs, tiles * min(most, outputs))
        let scratch = (4 * rows + 2) * pitch + 36 * (areaIn + areaOut)
        b.add(units: input.images * bands * groups, scratch: scratch) { unit, memory, scratch in
            let (image, band, group) = (unit / groups / bands, unit / groups % bands, unit % groups)
            let tileRows = band * rows..<min(down, (band + 1) * rows)
            let columns = group * most..<min(outputs, (group + 1) * most)
            let count = tileRows.count * across
            let v = scratch + (4 * rows + 2) * pitch
            let m = v + 36 * areaIn
            let first = 4 * tileRows.lowerBound
            input.fill(
                scratch, pitch: pitch, image: image, rows: first - 1..<first + 4 * tileRows.count + 1, memory)
            for tile in 0..<count {
                kernels.winograd_input_f32(
                    v + tile * inputs, areaIn, scratch + tile / across * 4 * pitch + tile % across * 4 * inputs, pitch,
                    inputs)
            }
            for (position, matrix) in positions.enumerated() {
                matrix.multiplyAlone(
                    v + position * areaIn, lda: inputs, rows: count, into: m + position * areaOut,
                    ldc: columns.count, columns: columns)
            }
            let last = min(height, first + 4 * tileRows.count)
            layer.begin(
                output, start, image: image, pixel: first * width, count: (last - first) * width, columns: columns,
                memory)
            for tile in 0..<count {
                let (y, x) = (first + tile / across * 4, tile % across * 4)
                kernels.winograd_output_f32(
                    memory.at(output, image, y * width + x) + columns.lowerBound, width * outputs, outputs,
                    m + tile * columns.count, areaOut, min(4, height - y), min(4, width - x), columns.count)
            }
        }
    }
}
