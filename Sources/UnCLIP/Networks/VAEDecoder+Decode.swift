import Tensors

extension VAEDecoder {
    /// The picture `[1, 3, height, width]`, about −1 to 1, of latents `[1, channels, height, width]` as the UNet knows
    /// them, on the calling thread.
    ///
    /// - Parameter onShow: is given the maps on the way, by the names of their modules.
    public func decode(_ latents: Tensor, onShow: ((_ name: String, _ value: Tensor) -> Void)? = nil) -> Tensor {
        precondition(latents.shape.count == 4 && latents.rows == 1 && latents.shape[1] == configuration.latentChannels)
        let (plan, place, picture) = plan(height: latents.shape[2], width: latents.shape[3])
        let run = PlanRun(plan)
        run.onShow = onShow
        run.write(unscaled(latents.values), to: place)
        while !run.isDone { run.advance(for: .seconds(1)) }
        return run.picture(picture)
    }

    /// Latents / scaling factor.
    func unscaled(_ latents: [Float]) -> [Float] { latents.map { $0 / configuration.scalingFactor } }
}
