import Checkpoints
import Foundation
import Tensors

/// What becomes of an image embedding before the UNet sees it: the image normaliser and the noising scheduler of the
/// folder, as in diffusers' `StableUnCLIPImg2ImgPipeline.noise_image_embeddings`.
public struct ImageEmbedding: Sendable {
    let mean: [Float]
    let std: [Float]
    /// How much noise each level has.
    public let schedule: DiffusionSchedule

    init(_ parameters: any ParameterSource, size: Int, schedule: DiffusionSchedule) throws {
        mean = try parameters.tensor("mean", [1, size]).values
        std = try parameters.tensor("std", [1, size]).values
        self.schedule = schedule
    }

    /// The size that `image_normalizer/config.json` tells.
    static func size(_ url: URL) throws(UnCLIPError) -> Int {
        let s = try Settings(url)
        let size = try s.integer("embedding_dim", default: 768, in: 1...32768)
        try s.finish()
        return size
    }

    /// The schedule of `image_noising_scheduler/scheduler_config.json`: what it adds noise with. How it would take it
    /// away again is of no interest here.
    static func schedule(_ url: URL) throws(UnCLIPError) -> DiffusionSchedule {
        let s = try Settings(url)
        let name = s.take("_class_name")
        guard name == .text("DDPMScheduler") else {
            throw s.refusal("_class_name", "is \(name ?? .null): only DDPMScheduler is supported")
        }
        let schedule = try DiffusionSchedule(s)
        s.ignore(
            "clip_sample", "clip_sample_range", "dynamic_thresholding_ratio", "prediction_type", "sample_max_value",
            "steps_offset", "thresholding", "timestep_spacing", "variance_type")
        try s.expect(["rescale_betas_zero_snr": .flag(false)])
        try s.finish()
        return schedule
    }

    /// The embedding on its way: each stage has as many numbers.
    public struct Stages: Sendable {
        /// (e − mean) / std.
        public var normalised: [Float]
        /// With noise.
        public var noised: [Float]
        /// · std + mean.
        public var unscaled: [Float]
        /// With the sinusoid of the noise level behind it: twice as many.
        public var label: [Float]
    }

    /// (e − mean) / std, noise of the level, and back; behind it the level's sinusoid, cosines first.
    public func stages(_ embedding: [Float], noise: [Float], level: Int) -> Stages {
        precondition(embedding.count == mean.count && noise.count == mean.count)
        let alpha = schedule.alphasCumulative[level]
        let (kept, added) = (alpha.squareRoot(), (1 - alpha).squareRoot())
        let normalised = embedding.indices.map { (embedding[$0] - mean[$0]) / std[$0] }
        let noised = embedding.indices.map { kept * normalised[$0] + added * noise[$0] }
        let unscaled = embedding.indices.map { noised[$0] * std[$0] + mean[$0] }
        let sinusoid = Sinusoid.values(Double(level), size: mean.count, cosineFirst: true, frequencyShift: 0)
        return Stages(normalised: normalised, noised: noised, unscaled: unscaled, label: unscaled + sinusoid)
    }
}

/// The sinusoidal embedding of a number (Vaswani et al., 2017), as diffusers' `get_timestep_embedding`.
enum Sinusoid {
    static func values(_ number: Double, size: Int, cosineFirst: Bool, frequencyShift: Double) -> [Float] {
        let half = size / 2
        var (sines, cosines): ([Float], [Float]) = ([], [])
        for index in 0..<half {
            // The frequency is rounded to fp32 as the reference rounds it: at 951 radians it matters.
            let exponent = Float(-log(10000.0)) * Float(index) / Float(Double(half) - frequencyShift)
            let angle = Float(number) * expf(exponent)
            sines.append(sinf(angle))
            cosines.append(cosf(angle))
        }
        return (cosineFirst ? cosines + sines : sines + cosines) + Array(repeating: 0, count: size % 2)
    }
}
