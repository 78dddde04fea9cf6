import Tensors

/// What a convolution's sums start from.
enum ConvolutionStart: Sendable {
    /// The layer's bias.
    case bias
    /// Rows `[images, outputs]`, in which the bias is already.
    case rows(FeatureMap)
    /// Features of the output's shape, plus the bias.
    case features(FeatureMap)
}

/// A convolution of 3 × 3 pixels with a pixel of zeros around the picture.
struct Convolution: Sendable {
    let bias: Tensor
    let inputs: Int
    let outputs: Int
    private let kernel: Kernel

    private enum Kernel {
        case direct(DirectKernel)
        case winograd(WinogradKernel)
    }

    /// - Parameter pixels: of the pictures that it is mostly for: with many of them, and many channels, Winograd's
    ///   algorithm pays. It takes four times the memory for the weights, and cannot stride.
    init(_ parameters: any ParameterSource, inputs: Int, outputs: Int, pixels: Int = 0) throws {
        let weight = try parameters.tensor("weight", [outputs, inputs, 3, 3])
        bias = try parameters.tensor("bias", [outputs])
        self.inputs = inputs
        self.outputs = outputs
        kernel =
            WinogradKernel.pays(inputs: inputs, outputs: outputs, pixels: pixels)
            ? .winograd(WinogradKernel(weight)) : .direct(DirectKernel(weight))
    }

    /// Adds the convolution to a plan. Returns its output, in new memory unless a place is given.
    func plan(
        _ b: inout PlanBuilder, _ input: ConvolutionInput, stride: Int = 1, start: ConvolutionStart = .bias,
        into place: FeatureMap? = nil
    ) -> FeatureMap {
        precondition(input.channels == inputs)
        let height = (input.height - 1) / stride + 1
        let width = (input.width - 1) / stride + 1
        let output = place ?? b.map(input.images, height, width, outputs)
        switch kernel {
        case .direct(let kernel): kernel.plan(&b, self, input, stride: stride, start: start, output)
        case .winograd(let kernel):
            precondition(stride == 1)
            kernel.plan(&b, self, input, start: start, output)
        }
        return output
    }

    /// Writes what the sums of `count` pixels start from, in a range of the outputs.
    func begin(
        _ output: FeatureMap, _ start: ConvolutionStart, image: Int, pixel: Int, count: Int, columns: Range<Int>,
        _ memory: PlanMemory
    ) {
        let first = columns.lowerBound
        bias.read { bias in
            for index in pixel..<pixel + count {
                let target = memory.at(output, image, index) + first
                switch start {
                case .bias: target.update(from: bias + first, count: columns.count)
                case .rows(let rows): target.update(from: memory.at(rows, image) + first, count: columns.count)
                case .features(let map):
                    let source = memory.at(map, image, index) + first
                    if source != target { target.update(from: source, count: columns.count) }
                    kernels.add_f32(target, bias + first, columns.count)
                }
            }
        }
    }
}

/// The sum over the nine taps as it is written.
///
/// Its three rows of taps are products with overlapping rows: three neighbouring pixels lie together, and the next three
/// begin a pixel (or a stride) later. Nothing is gathered.
struct DirectKernel: Sendable {
    private let taps: [PackedMatrix]

    init(_ weight: Tensor) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        taps = (0..<3).map { ky in
            // [outputs, 3 · inputs]
            let row = Tensor(generating: [outputs, 3 * inputs]) { target in
                weight.read { weight in
                    for output in 0..<outputs {
                        for input in 0..<inputs {
                            let from = weight + (output * inputs + input) * 9 + ky * 3
                            let to = target + output * 3 * inputs + input
                            for kx in 0..<3 { to[kx * inputs] = from[kx] }
                        }
                    }
                }
            }
            return PackedMatrix(linear: row)
        }
    }

    func plan(
        _ b: inout PlanBuilder, _ layer: Convolution, _ input: ConvolutionInput, stride: Int, start: ConvolutionStart,
        _ output: FeatureMap
    ) {
        let (inputs, outputs) = (layer.inputs, layer.outputs)
        let (height, width) = (output.height, output.width)
        let pitch = (input.width + 2) * inputs
        // Small pictures are taken whole, some of the outputs at a time: what is read most are the weights then.
        let panel = Int(CK_PANEL)
        let computed = (outputs + panel - 1) / panel * panel
        let rows = max(1, min(height, max((96 + width - 1) / width, Plan.unitWork / (width * computed * inputs * 9))))
        let bands = (height + rows - 1) / rows
        let most = max(1, Plan.unitWork / (rows * width * inputs * 9 * panel)) * panel
        let groups = (outputs + most - 1) / most
        let scratch = ((rows - 1) * stride + 3) * pitch
        b.add(units: input.images * bands * groups, scratch: scratch) { unit, memory, scratch in
            let (image, band, group) = (unit / groups / bands, unit / groups % bands, unit % groups)
            let range = band * rows..<min(height, (band + 1) * rows)
            let columns = group * most..<min(outputs, (group + 1) * most)
            let first = range.lowerBound * stride - 1
            input.fill(
                scratch, pitch: pitch, image: image, rows: first..<first + (range.count - 1) * stride + 3, memory)
            layer.begin(
                output, start, image: image, pixel: range.lowerBound * width, count: range.count * width,
                columns: columns, memory)
            // Panel by panel, so that its weights stay in the cache for all rows.
            for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: panel) {
                let part = column..<min(column + panel, columns.upperBound)
                for ky in 0..<3 {
                    for y in range {
                        taps[ky].multiplyAlone(
                            scratch + ((y - range.lowerBound) * stride + ky) * pitch, lda: stride * inputs,
                            rows: width, into: memory.at(output, image, y * width) + column, ldc: outputs,
                            columns: part, adding: true)
                    }
                }
            }
        }
    }
}
