import Tensors

extension UNet {
    /// Where a plan of the UNet takes its inputs from and leaves its output.
    struct Places: Sendable {
        /// The latents of each picture.
        let latents: FeatureMap
        /// The sinusoid of the time, the same for all: `[images, channels[0]]`.
        let time: FeatureMap
        /// The class labels: `[images, classSize]`.
        let labels: FeatureMap
        /// What was predicted, of the latents' shape.
        let output: FeatureMap
    }

    /// Writes the UNet down for so many pictures of this size.
    func plan(images: Int, height: Int, width: Int) -> (plan: Plan, places: Places) {
        var b = PlanBuilder()
        let latents = b.map(images, height, width, configuration.latentChannels)
        let sinusoid = b.rows(images, configuration.channels[0])
        let labels = b.rows(images, configuration.classSize)
        let time = planTime(&b, sinusoid, labels)

        var h = b.module("conv_in") { b in
            let h = conv_in.plan(&b, .plain(latents))
            b.show(h)
            return h
        }
        // Each belongs to this list until the way up takes it.
        var skips = [h]
        for (level, block) in down_blocks.enumerated() {
            h = b.module("down_blocks.\(level)") { planDown(&$0, block, h, time: time, &skips) }
        }
        h = b.module("mid_block") { planMiddle(&$0, h, time: time) }
        for (index, block) in up_blocks.enumerated() {
            h = b.module("up_blocks.\(index)") { planUp(&$0, block, h, time: time, &skips) }
        }
        let affine = b.module("conv_norm_out") { conv_norm_out.plan(&$0, h) }
        let output = b.module("conv_out") { conv_out.plan(&$0, .activated(h, affine: affine)) }
        return (b.plan, Places(latents: latents, time: sinusoid, labels: labels, output: output))
    }

    /// silu(time_embedding + class_embedding), as all residual blocks take it.
    private func planTime(_ b: inout PlanBuilder, _ sinusoid: FeatureMap, _ labels: FeatureMap) -> FeatureMap {
        let (images, size) = (sinusoid.images, configuration.timeSize)
        let (time, label, sum) = (b.rows(images, size), b.rows(images, size), b.rows(images, size))
        for (name, network, x, y) in [
            ("time_embedding", time_embedding, sinusoid, time), ("class_embedding", class_embedding, labels, label),
        ] {
            b.module(name) { b in
                b.add(units: 1, scratch: images * size) { _, memory, scratch in
                    network.apply(memory.at(x), rows: images, into: memory.at(y), scratch: scratch)
                }
                b.show(y)
            }
        }
        b.add(units: 1) { _, memory, _ in
            memory.at(sum).update(from: memory.at(time), count: sum.count)
            kernels.add_f32(memory.at(sum), memory.at(label), sum.count)
            kernels.silu_f32(memory.at(sum), memory.at(sum), sum.count)
        }
        b.release(time)
        b.release(label)
        return sum
    }

    private func planDown(
        _ b: inout PlanBuilder, _ block: Block, _ x: FeatureMap, time: FeatureMap, _ skips: inout [FeatureMap]
    ) -> FeatureMap {
        var h = x
        for (layer, resnet) in block.resnets.enumerated() {
            h = planLayer(&b, layer, resnet, block.attentions, h, time: time)
            skips.append(h)
        }
        if let sampler = block.sampler {
            h = sampler.plan(&b, .plain(h), stride: 2)
            skips.append(h)
        }
        b.show(h)
        return h
    }

    private func planMiddle(_ b: inout PlanBuilder, _ x: FeatureMap, time: FeatureMap) -> FeatureMap {
        var h = planLayer(&b, 0, mid_block.resnets[0], mid_block.attentions, x, time: time)
        let before = h
        h = b.module("resnets.1") { mid_block.resnets[1].plan(&$0, before, time: time) }
        b.release(before)
        b.show(h)
        return h
    }

    private func planUp(
        _ b: inout PlanBuilder, _ block: Block, _ x: FeatureMap, time: FeatureMap, _ skips: inout [FeatureMap]
    ) -> FeatureMap {
        var h = x
        for (layer, resnet) in block.resnets.enumerated() {
            let skip = skips.removeLast()
            let both = Self.joined(&b, h, skip)
            b.release(h)
            b.release(skip)
            h = planLayer(&b, layer, resnet, block.attentions, both, time: time)
            b.release(both)
        }
        if let sampler = block.sampler, let skip = skips.last {
            // To the size of what comes next: sizes that are no multiples of eight were rounded on the way down.
            let y = sampler.plan(&b, .resized(h, height: skip.height, width: skip.width))
            b.release(h)
            h = y
        }
        b.show(h)
        return h
    }

    /// A residual block and, if the level attends, the transformer behind it. Who gave `x` releases it.
    private func planLayer(
        _ b: inout PlanBuilder, _ layer: Int, _ resnet: ResnetBlock2D, _ attentions: [Transformer2DModel],
        _ x: FeatureMap, time: FeatureMap
    ) -> FeatureMap {
        let h = b.module("resnets.\(layer)") { b in
            let h = resnet.plan(&b, x, time: time)
            b.show(h)
            return h
        }
        guard layer < attentions.count else { return h }
        return b.module("attentions.\(layer)") { b in
            let y = attentions[layer].plan(&b, h)
            b.release(h)
            b.show(y)
            return y
        }
    }

    /// The channels of one behind those of the other, pixel by pixel.
    private static func joined(_ b: inout PlanBuilder, _ first: FeatureMap, _ second: FeatureMap) -> FeatureMap {
        precondition(first.height == second.height && first.width == second.width)
        let (m, n) = (first.channels, second.channels)
        let both = b.map(like: first, channels: m + n)
        SelfAttention.forRows(&b, both, work: m + n) { start, rows, memory, _ in
            for pixel in start..<start + rows {
                let target = memory.at(both, 0, pixel)
                target.update(from: memory.at(first, 0, pixel), count: m)
                (target + m).update(from: memory.at(second, 0, pixel), count: n)
            }
        }
        return both
    }
}
