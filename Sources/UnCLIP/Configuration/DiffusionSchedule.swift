import Foundation

/// How much of the picture is left after each step of the forward diffusion: what a scheduler's configuration says
/// about its betas.
public struct DiffusionSchedule: Sendable, Equatable {
    /// The product of 1 − beta up to each time, of betas in fp32 as the reference has them.
    public let alphasCumulative: [Float]

    /// Takes the betas' settings out of a scheduler's configuration.
    init(_ s: Settings) throws(UnCLIPError) {
        let count = try s.integer("num_train_timesteps", default: 1000, in: 1...100_000)
        let start = try s.number("beta_start", default: 1e-4, in: 0...1)
        let end = try s.number("beta_end", default: 0.02, in: 0...1)
        let kind = try s.text("beta_schedule", among: ["linear", "scaled_linear", "squaredcos_cap_v2"])
        guard s.take("trained_betas") == nil else {
            throw s.refusal("trained_betas", "is set: only schedules by formula are supported")
        }
        let betas: [Float]
        switch kind {
        case "linear": betas = Self.evenly(start, end, count)
        case "scaled_linear": betas = Self.evenly(start.squareRoot(), end.squareRoot(), count).map { $0 * $0 }
        default: betas = Self.squaredCosine(count)
        }
        // PyTorch multiplies on in double precision, and rounds each product.
        var product = 1.0
        alphasCumulative = betas.map { beta in
            product *= Double(1 - beta)
            return Float(product)
        }
    }

    /// As `torch.linspace` counts: from both ends to the middle.
    private static func evenly(_ start: Double, _ end: Double, _ count: Int) -> [Float] {
        let (start, end) = (Float(start), Float(end))
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { index in
            index < count / 2 ? start + step * Float(index) : end - step * Float(count - 1 - index)
        }
    }

    /// Nichol & Dhariwal, "Improved denoising diffusion probabilistic models", 2021, with betas of at most 0.999.
    private static func squaredCosine(_ count: Int) -> [Float] {
        func left(_ time: Double) -> Double {
            let c = cos((time + 0.008) / 1.008 * Double.pi / 2)
            return c * c
        }
        return (0..<count).map { index in
            let (now, next) = (Double(index) / Double(count), Double(index + 1) / Double(count))
            return Float(min(1 - left(next) / left(now), 0.999))
        }
    }
}
