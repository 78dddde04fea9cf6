import Tensors

/// A network's plan as it is measured: run again and again on the same numbers.
public final class PlanMeasurement {
    private let run: PlanRun

    /// One call of a UNet for so many pictures, whose latents have this size.
    public init(_ unet: UNet, images: Int, height: Int, width: Int) {
        let (plan, places) = unet.plan(images: images, height: height, width: width)
        run = PlanRun(plan)
        for map in [places.latents, places.time, places.labels] { fill(map) }
    }

    /// The decoding of one picture, whose latents have this size.
    public init(_ vae: VAEDecoder, height: Int, width: Int) {
        let (plan, latents, _) = vae.plan(height: height, width: width)
        run = PlanRun(plan)
        fill(latents)
    }

    private func fill(_ map: FeatureMap) {
        var normals = SeededNormals(seed: 1)
        run.write(normals.draw(map.count), to: map)
    }

    /// Bytes of memory beside the weights.
    public var bytes: Int { PlanRun.bytes(run.plan) }

    /// Runs the plan once; returns the longest piece, which nothing can interrupt, and the module that it belongs to.
    public func callAsFunction() -> (module: String, piece: Duration) {
        run.restart()
        var longest = (module: "", piece: Duration.zero)
        while !run.isDone {
            let (start, module) = (ContinuousClock.now, run.module)
            run.advance(for: .zero)
            let piece = ContinuousClock.now - start
            if piece > longest.piece { longest = (module, piece) }
        }
        return longest
    }
}
