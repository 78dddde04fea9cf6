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

    /// Writes these rows of a picture, `pitch` floats apart, with a pixel of zeros in front and zeros behind; rows outside
    /// of the picture are zeros.
    func fill(
        _ target: UnsafeMutablePointer<Float>, pitch: Int, image: Int, rows: Range<Int>, _ memory: PlanMemory
    ) {
        let (width, channels) = (width, channels)
        for (index, y) in rows.enumerated() {
            let row = target + index * pitch
            guard y >= 0, y < height else {
                row.update(repeating: 0, count: pitch)
                continue
            }
            row.update(repeating: 0, count: channels)
            (row + (width + 1) * channels).update(repeating: 0, count: pitch - (width + 1) * channels)
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
