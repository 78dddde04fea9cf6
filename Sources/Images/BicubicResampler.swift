/// Bicubic resampling as Pillow does it, bit for bit, in pieces of some milliseconds.
///
/// The cubic of Keys with a = -0.5, stretched over the pixels that fall together where a picture shrinks; along one axis,
/// then along the other, each a sum in fixed point that is rounded and clipped to 8 bits (Pillow's
/// `Image.resize((width, height), Image.Resampling.BICUBIC)` for 8-bit pictures). The rounding between the axes makes their
/// order count: Pillow 13 begins with the columns where the picture loses more than twice as many rows as columns, and
/// with the rows otherwise, as versions before did always.
///
///     let resampler = BicubicResampler(image, width: 224, height: 224)
///     while resampler.step() { await Task.yield() }
///     let small = resampler.image
public final class BicubicResampler {
    private let source: RGBImage
    private let horizontal: ResamplingWeights
    private let vertical: ResamplingWeights
    private let verticalFirst: Bool
    /// What the first pass makes: `[source.height, width, 3]`, or `[height, source.width, 3]`.
    private var between: [UInt8]
    private var result: [UInt8]
    /// Rows of the first pass, then those of the second, that are done.
    private var done = 0

    /// Products that a step makes: about 10 ms.
    private static let productsPerStep = 8 << 20

    /// Makes ready to make a picture of another size.
    public init(_ image: RGBImage, width: Int, height: Int) {
        precondition(width > 0 && height > 0)
        source = image
        horizontal = ResamplingWeights(from: image.width, to: width)
        vertical = ResamplingWeights(from: image.height, to: height)
        verticalFirst = image.height - height > max(0, 2 * (image.width - width))
        let count = verticalFirst ? height * image.width : image.height * width
        between = [UInt8](repeating: 0, count: count * 3)
        result = [UInt8](repeating: 0, count: height * width * 3)
    }

    private var width: Int { horizontal.count }
    private var height: Int { vertical.count }
    private var firstRows: Int { verticalFirst ? height : source.height }

    /// Makes some rows. False when the picture is complete.
    public func step() -> Bool {
        var left = Self.productsPerStep
        while left > 0, done < firstRows + height {
            let isFirst = done < firstRows
            let row = isFirst ? done : done - firstRows
            if isFirst {
                source.bytes.withUnsafeBufferPointer { from in
                    between.withUnsafeMutableBufferPointer { left -= pass(row, from, $0, vertical: verticalFirst) }
                }
            } else {
                between.withUnsafeBufferPointer { from in
                    result.withUnsafeMutableBufferPointer { left -= pass(row, from, $0, vertical: !verticalFirst) }
                }
            }
            done += 1
        }
        return done < firstRows + height
    }

    /// The picture, once `step` has returned false.
    public var image: RGBImage {
        precondition(done == firstRows + height, "the picture is not complete")
        return RGBImage(width: width, height: height, bytes: result)
    }

    /// Makes a row along one axis. Returns the number of products.
    private func pass(
        _ row: Int, _ from: UnsafeBufferPointer<UInt8>, _ to: UnsafeMutableBufferPointer<UInt8>,
        vertical isVertical: Bool
    ) -> Int {
        if isVertical {
            let columns = verticalFirst ? source.width : width
            Self.alongColumns(row, vertical, from, to, length: columns * 3)
            return columns * vertical.taps * 3
        }
        Self.alongRows(row, horizontal, from, to, sourceWidth: source.width)
        return width * horizontal.taps * 3
    }

    private static func alongRows(
        _ row: Int, _ axis: ResamplingWeights, _ source: UnsafeBufferPointer<UInt8>,
        _ target: UnsafeMutableBufferPointer<UInt8>, sourceWidth: Int
    ) {
        for x in 0..<axis.count {
            let (first, weights) = axis[x]
            var (red, green, blue) = (ResamplingWeights.half, ResamplingWeights.half, ResamplingWeights.half)
            var place = (row * sourceWidth + first) * 3
            for weight in weights {
                red &+= Int32(source[place]) &* weight
                green &+= Int32(source[place + 1]) &* weight
                blue &+= Int32(source[place + 2]) &* weight
                place += 3
            }
            let to = (row * axis.count + x) * 3
            target[to] = ResamplingWeights.byte(red)
            target[to + 1] = ResamplingWeights.byte(green)
            target[to + 2] = ResamplingWeights.byte(blue)
        }
    }

    private static func alongColumns(
        _ row: Int, _ axis: ResamplingWeights, _ source: UnsafeBufferPointer<UInt8>,
        _ target: UnsafeMutableBufferPointer<UInt8>, length: Int
    ) {
        let (first, weights) = axis[row]
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: length) { sums in
            sums.initialize(repeating: ResamplingWeights.half)
            for (index, weight) in weights.enumerated() {
                let from = (first + index) * length
                for x in 0..<length { sums[x] &+= Int32(source[from + x]) &* weight }
            }
            for x in 0..<length { target[row * length + x] = ResamplingWeights.byte(sums[x]) }
        }
    }
}

extension RGBImage {
    /// The picture in another size, whatever its shape was: see `BicubicResampler`.
    public func resized(width: Int, height: Int) -> RGBImage {
        let resampler = BicubicResampler(self, width: width, height: height)
        while resampler.step() {}
        return resampler.image
    }
}
