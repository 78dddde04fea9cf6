import Tensors

/// diffusers' `ResnetBlock2D`: x + conv2(silu(norm2(conv1(silu(norm1(x))) + time))), with a projection of x where the
/// number of channels changes.
struct ResnetBlock2D: Sendable {
    let norm1: GroupNorm
    let conv1: Convolution
    let time_emb_proj: Linear?
    let norm2: GroupNorm
    let conv2: Convolution
    let conv_shortcut: Linear?

    /// - Parameters:
    ///   - time: the width of the time's embedding; nil where there is none.
    ///   - pixels: of the pictures that it is mostly for.
    init(
        _ parameters: any ParameterSource, inputs: Int, outputs: Int, groups: Int, epsilon: Float, time: Int?,
        pixels: Int
    ) throws {
        norm1 = try GroupNorm(parameters["norm1"], channels: inputs, groups: groups, epsilon: epsilon)
        conv1 = try Convolution(parameters["conv1"], inputs: inputs, outputs: outputs, pixels: pixels)
        time_emb_proj = try time.map { try Linear(parameters["time_emb_proj"], inputs: $0, outputs: outputs) }
        norm2 = try GroupNorm(parameters["norm2"], channels: outputs, groups: groups, epsilon: epsilon)
        conv2 = try Convolution(parameters["conv2"], inputs: outputs, outputs: outputs, pixels: pixels)
        conv_shortcut =
            inputs == outputs ? nil : try Linear(parameters["conv_shortcut"], inputs: inputs, outputs: outputs)
    }

    /// Adds the block to a plan; `time` is silu of the time's embedding, `[images, size]`. Who gave `x` releases it.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap, time: FeatureMap? = nil) -> FeatureMap {
        let first = norm1.plan(&b, x)
        var shift: FeatureMap?
        if let time, let time_emb_proj {
            let rows = b.rows(x.images, conv1.outputs)
            let bias = conv1.bias
            b.add(units: 1) { _, memory, _ in
                time_emb_proj.apply(memory.at(time), rows: rows.images, into: memory.at(rows))
                bias.read { kernels.add_bias_f32(memory.at(rows), $0, rows.images, rows.channels) }
            }
            shift = rows
        }
        let h = conv1.plan(&b, .activated(x, affine: first), start: shift.map { .rows($0) } ?? .bias)
        if let shift { b.release(shift) }
        b.release(first)
        let second = norm2.plan(&b, h)
        var start = x
        var place: FeatureMap?
        if let conv_shortcut {
            let projected = b.map(like: h)
            SelfAttention.forRows(&b, x, work: x.channels * h.channels) { first, rows, memory, _ in
                conv_shortcut.apply(memory.at(x, 0, first), rows: rows, into: memory.at(projected, 0, first))
            }
            (start, place) = (projected, projected)
        }
        let y = conv2.plan(&b, .activated(h, affine: second), start: .features(start), into: place)
        b.release(h)
        b.release(second)
        return y
    }
}
