import Tensors

/// What a convolution reads: features, and what is done to them on the way.
enum ConvolutionInput: Sendable {
    /// The features as they are.
    case plain(FeatureMap)
    /// The features · factor + offset (what a `GroupNorm` planned), then SiLU.
    case activated(FeatureMap, affine: FeatureMap)
    /// The features in another size, each pixel from the nearest one.
    case resized(FeatureMap, height: Int, width: Int)

    private var map: FeatureMap {
        switch self {
        case .plain(let map), .activated(let map, _), .resized(let map, _, _): map
        }
    }

    var images: Int { map.images }
    var channels: Int { map.channels }

    var height: Int {
        if case .resized(_, let height, _) = self { return height }
        return map.height
    }

    var width: Int {
        if case .resized(_, _, let width) = self { return width }
        return map.width
    }

    /// Writes these rows of a picture, with a pixel of zeros on either side; rows outside of it are zeros.
    func fill(_ target: UnsafeMutablePointer<Float>, image: Int, rows: Range<Int>, _ memory: PlanMemory) {
        let (width, channels) = (width, channels)
        let pitch = (width + 2) * channels
        for (index, y) in rows.enumerated() {
            let row = target + index * pitch
            guard y >= 0, y < height else {
                row.update(repeating: 0, count: pitch)
                continue
            }
            row.update(repeating: 0, count: channels)
            (row + (width + 1) * channels).update(repeating: 0, count: channels)
            let inner = row + channels
            switch self {
            case .plain(let map):
                inner.update(from: memory.at(map, image, y * width), count: width * channels)
            case .activated(let map, let affine):
                let factor = memory.at(affine, image)
                kernels.channel_affine_f32(
                    inner, memory.at(map, image, y * width), factor, factor + channels, width, channels, true)
            case .resized(let map, let height, _):
                let source = Self.nearest(y, map.height, height) * map.width
                for x in 0..<width {
                    let pixel = source + Self.nearest(x, map.width, width)
                    (inner + x * channels).update(from: memory.at(map, image, pixel), count: channels)
                }
            }
        }
    }

    /// As PyTorch's `interpolate` finds the nearest pixel.
    private static func nearest(_ index: Int, _ from: Int, _ to: Int) -> Int {
        min(from - 1, Int(Float(index) * (Float(from) / Float(to))))
    }
}

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
///
/// Its three rows of taps are products with overlapping rows: three neighbouring pixels lie together, and the next three
/// begin a pixel (or a stride) later. Nothing is gathered.
struct Convolution: Sendable {
    let bias: Tensor
    let inputs: Int
    let outputs: Int
    private let taps: [PackedMatrix]

    init(_ parameters: any ParameterSource, inputs: Int, outputs: Int) throws {
        let weight = try parameters.tensor("weight", [outputs, inputs, 3, 3])
        bias = try parameters.tensor("bias", [outputs])
        self.inputs = inputs
        self.outputs = outputs
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

    /// Multiply-adds of a unit: about 8 ms of a core.
    private static let unitWork = 300 << 20

    /// Adds the convolution to a plan. Returns its output, in new memory unless a place is given.
    func plan(
        _ b: inout PlanBuilder, _ input: ConvolutionInput, stride: Int = 1, start: ConvolutionStart = .bias,
        into place: FeatureMap? = nil
    ) -> FeatureMap {
        precondition(input.channels == inputs)
        let height = (input.height - 1) / stride + 1
        let width = (input.width - 1) / stride + 1
        let output = place ?? b.map(input.images, height, width, outputs)
        let pitch = (input.width + 2) * inputs
        let rows = max(1, min(height, Self.unitWork / (width * outputs * inputs * 9)))
        let units = (height + rows - 1) / rows
        let scratch = ((rows - 1) * stride + 3) * pitch
        b.add(units: input.images * units, scratch: scratch) { unit, memory, scratch in
            let image = unit / units
            let range = unit % units * rows..<min(height, (unit % units + 1) * rows)
            let first = range.lowerBound * stride - 1
            input.fill(
                scratch, image: image, rows: first..<first + (range.count - 1) * stride + 3, memory)
            for y in range {
                let target = memory.at(output, image, y * width)
                begin(target, start, image, y * width, width, memory)
                for ky in 0..<3 {
                    taps[ky].multiplyAlone(
                        scratch + ((y - range.lowerBound) * stride + ky) * pitch, lda: stride * inputs, rows: width,
                        into: target, ldc: outputs, adding: true)
                }
            }
        }
        return output
    }

    /// Writes what the sums of some pixels start from.
    private func begin(
        _ target: UnsafeMutablePointer<Float>, _ start: ConvolutionStart, _ image: Int, _ pixel: Int, _ count: Int,
        _ memory: PlanMemory
    ) {
        switch start {
        case .features(let map):
            if memory.at(map, image, pixel) != target {
                target.update(from: memory.at(map, image, pixel), count: count * outputs)
            }
            bias.read { kernels.add_bias_f32(target, $0, count, outputs) }
        case .rows(let rows):
            for index in 0..<count { (target + index * outputs).update(from: memory.at(rows, image), count: outputs) }
        case .bias:
            bias.read { bias in
                for index in 0..<count { (target + index * outputs).update(from: bias, count: outputs) }
            }
        }
    }
}
