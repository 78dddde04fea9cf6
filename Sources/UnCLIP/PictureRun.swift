import Tensors

/// A picture that is being drawn, and can be put aside at any time: let it go, and it is cancelled.
///
///     while run.advance() { await Task.yield() }
///
/// The picture depends on the embedding, the noise and the settings alone, not on the pieces or the threads.
///
/// Not for several threads at once.
public final class PictureRun {
    /// How far a picture is.
    public struct Progress: Sendable, Equatable {
        /// Calls of the UNet that are done, and the decoding of the picture after them.
        public var step: Int
        /// Calls in all: one more than the scheduler's steps, and one for the decoding.
        public var steps: Int
    }

    /// What the drawing passes through, for those who compare it with another.
    public enum Stage {
        /// The guided output of a call, and the latents after it, `[channels, height, width]`.
        case call(Int, output: [Float], latents: [Float])
        /// A map within the first call of the UNet.
        case unet(String, Tensor)
        /// A map within the decoder.
        case vae(String, Tensor)
        /// The latents that the first call is given.
        case input(Tensor)
        /// What the first call gives, before guidance.
        case output(Tensor)
        /// The picture before it becomes 8 bits.
        case picture(Tensor)
    }

    /// Is given the stages of the drawing.
    public var onStage: ((Stage) -> Void)? { didSet { watch() } }

    private let model: UnCLIPModel
    private let times: [Int]
    private let steps: Int
    private let guidance: Float
    private let size: (height: Int, width: Int)
    private let images: Int
    private let labels: [Float]
    private var latents: [Float]
    private var state = PNDMScheduler.State()
    private var callsDone = 0
    /// The UNet's run with its places, while it is needed; then the decoder's.
    private var drawing: (run: PlanRun, places: UNet.Places)?
    private var decoding: (run: PlanRun, picture: FeatureMap)?
    private var result: RGBPicture?

    /// Makes ready to draw with given random numbers.
    ///
    /// - Parameters:
    ///   - noise: standard normal numbers, as many as the embedding has.
    ///   - latents: standard normal numbers, `[channels, height, width]`: an eighth of the picture's size.
    public init(
        _ model: UnCLIPModel, embedding: [Float], noise: [Float], latents: Tensor, steps: Int = 20,
        guidance: Float = 10
    ) throws(UnCLIPError) {
        guard embedding.count == model.embeddingSize, embedding.allSatisfy(\.isFinite) else {
            throw UnCLIPError(
                "draw", "a picture",
                "an embedding of \(embedding.count) numbers, expected \(model.embeddingSize) finite ones")
        }
        guard guidance.isFinite else { throw UnCLIPError("draw", "a picture", "guidance of \(guidance)") }
        guard noise.count == embedding.count, latents.shape.count == 3,
            latents.shape[0] == model.configuration.latentChannels, latents.count > 0
        else {
            throw UnCLIPError("draw", "a picture", "\(noise.count) numbers of noise and latents of \(latents.shape)")
        }
        self.model = model
        self.steps = steps
        self.guidance = guidance
        self.latents = latents.values
        size = (latents.shape[1], latents.shape[2])
        times = try model.scheduler.times(steps: steps)
        images = guidance > 1 ? 2 : 1
        let label = model.embedding.stages(embedding, noise: noise, level: 0).label
        // The unconditional row is all zeros, the noise level's half included.
        labels = (images > 1 ? Array(repeating: 0, count: label.count) : []) + label
        let (plan, places) = model.unet.plan(images: images, height: size.height, width: size.width)
        drawing = (PlanRun(plan), places)
        begin()
    }

    /// How far the picture is.
    public var progress: Progress {
        Progress(step: callsDone + (result == nil ? 0 : 1), steps: times.count + 1)
    }

    /// Whether the picture is there.
    public var isDone: Bool { result != nil }

    /// The picture; only when the run is done.
    public var picture: RGBPicture {
        guard let result else { preconditionFailure("the picture of a run that is not done") }
        return result
    }

    /// Draws for about this long, or until the picture is done. A single piece, which is not interrupted, takes some
    /// milliseconds of a core. Returns whether there is more to do.
    @discardableResult
    public func advance(for duration: Duration = .milliseconds(15)) -> Bool {
        if let drawing {
            drawing.run.advance(for: duration)
            if drawing.run.isDone { finishCall(drawing.run, drawing.places) }
        } else if let decoding {
            decoding.run.advance(for: duration)
            if decoding.run.isDone { finishDecoding(decoding.run, decoding.picture) }
        }
        return result == nil
    }

    /// Writes the inputs of the next call.
    private func begin() {
        guard let (run, places) = drawing else { return }
        let c = model.configuration
        let sinusoid = Sinusoid.values(
            Double(times[callsDone]), size: c.channels[0], cosineFirst: c.cosineFirst, frequencyShift: c.frequencyShift)
        run.write((0..<images).flatMap { _ in latents }, to: places.latents)
        run.write((0..<images).flatMap { _ in sinusoid }, to: places.time)
        run.write(labels, to: places.labels)
        run.restart()
    }

    private func finishCall(_ run: PlanRun, _ places: UNet.Places) {
        let output = run.picture(places.output)
        var guided = output.values
        if images > 1 {
            let half = guided.count / 2
            guided = (0..<half).map { guided[$0] + guidance * (guided[half + $0] - guided[$0]) }
        }
        if callsDone == 0 { onStage?(.output(output)) }
        model.scheduler.step(&latents, output: guided, time: times[callsDone], steps: steps, &state)
        onStage?(.call(callsDone, output: guided, latents: latents))
        callsDone += 1
        run.onShow = nil
        guard callsDone == times.count else { return begin() }
        drawing = nil
        let (plan, place, picture) = model.vae.plan(height: size.height, width: size.width)
        let next = PlanRun(plan)
        next.write(model.vae.unscaled(latents), to: place)
        decoding = (next, picture)
        watch()
    }

    private func finishDecoding(_ run: PlanRun, _ picture: FeatureMap) {
        onStage?(.picture(run.picture(picture)))
        result = RGBPicture(size: PictureSize(width: picture.width, height: picture.height), run.values(picture))
        decoding = nil
    }

    private func watch() {
        guard let onStage else { return }
        if let drawing, callsDone == 0 {
            onStage(.input(drawing.run.picture(drawing.places.latents)))
            drawing.run.onShow = { onStage(.unet($0, $1)) }
        }
        decoding?.run.onShow = { onStage(.vae($0, $1)) }
    }
}
