import Tensors

/// PyTorch's GroupNorm, of which a plan first takes the statistics; what they come to, a factor and an offset for each
/// channel of each picture, is applied by whoever reads the features next.
struct GroupNorm: Sendable {
    let weight: Tensor
    let bias: Tensor
    let groups: Int
    let epsilon: Float

    init(_ parameters: any ParameterSource, channels: Int, groups: Int, epsilon: Float) throws {
        weight = try parameters.tensor("weight", [channels])
        bias = try parameters.tensor("bias", [channels])
        self.groups = groups
        self.epsilon = epsilon
    }

    /// Pixels whose moments are taken at once: they stay in the second cache for the second pass over them.
    private static let chunk = 128

    /// Adds the statistics of `x` to a plan; returns factors and offsets `[images, 2 · channels]`.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap) -> FeatureMap {
        let channels = x.channels
        precondition(channels == weight.count)
        let chunks = (x.pixels + Self.chunk - 1) / Self.chunk
        let moments = b.rows(x.images * chunks, 2 * channels)
        // Several chunks at a time, so that a unit is worth a thread's while.
        let each = max(1, (1 << 17) / (Self.chunk * channels))
        let units = (chunks + each - 1) / each
        b.add(units: x.images * units) { unit, memory, _ in
            let image = unit / units
            for chunk in unit % units * each..<min(chunks, (unit % units + 1) * each) {
                let first = chunk * Self.chunk
                let target = memory.at(moments, image * chunks + chunk)
                kernels.channel_moments_f32(
                    target, target + channels, memory.at(x, image, first), min(Self.chunk, x.pixels - first), channels)
            }
        }
        let affine = b.rows(x.images, 2 * channels)
        b.add(units: x.images) { image, memory, _ in
            combine(memory, image, moments, chunks: chunks, pixels: x.pixels, into: memory.at(affine, image))
        }
        b.release(moments)
        return affine
    }

    /// Brings the moments of all chunks and of a group's channels together (Chan, Golub & LeVeque, 1979).
    private func combine(
        _ memory: PlanMemory, _ image: Int, _ moments: FeatureMap, chunks: Int, pixels: Int,
        into affine: UnsafeMutablePointer<Float>
    ) {
        let channels = weight.count
        let size = channels / groups
        let first = UnsafePointer(memory.at(moments, image * chunks))
        weight.read { weight in
            bias.read { bias in
                for group in 0..<groups {
                    let members = group * size..<(group + 1) * size
                    var sum = 0.0
                    for chunk in 0..<chunks {
                        let count = Double(min(Self.chunk, pixels - chunk * Self.chunk))
                        for channel in members { sum += count * Double(first[chunk * 2 * channels + channel]) }
                    }
                    let total = Double(pixels * size)
                    let mean = sum / total
                    var squares = 0.0
                    for chunk in 0..<chunks {
                        let count = Double(min(Self.chunk, pixels - chunk * Self.chunk))
                        for channel in members {
                            let distance = Double(first[chunk * 2 * channels + channel]) - mean
                            squares += count * distance * distance
                            squares += Double(first[chunk * 2 * channels + channels + channel])
                        }
                    }
                    let scale = 1 / (squares / total + Double(epsilon)).squareRoot()
                    for channel in members {
                        let factor = scale * Double(weight[channel])
                        affine[channel] = Float(factor)
                        affine[channels + channel] = Float(Double(bias[channel]) - mean * factor)
                    }
                }
            }
        }
    }
}
