import Foundation
import Tensors

/// The pseudo linear multi-step method of Liu et al., "Pseudo numerical methods for diffusion models on manifolds",
/// 2022, without the Runge-Kutta steps: diffusers' `PNDMScheduler` with `skip_prk_steps`.
public struct PNDMScheduler: Sendable, Equatable {
    /// What the network's output is.
    public enum Prediction: String, Sendable {
        /// The noise.
        case epsilon
        /// √ᾱ · noise − √(1 − ᾱ) · picture (Salimans & Ho, 2022).
        case v = "v_prediction"
    }

    /// How much of the picture is left at each time.
    public let schedule: DiffusionSchedule
    /// What the network predicts.
    public let prediction: Prediction
    /// Added to every time.
    public let stepsOffset: Int
    /// Whether the last step ends at a picture without noise, instead of at time 0.
    public let endsClean: Bool

    /// Reads and checks a `scheduler_config.json`; other schedulers are refused by name.
    public init(contentsOf url: URL) throws(UnCLIPError) {
        let s = try Settings(url)
        let name = s.take("_class_name")
        guard name == .text("PNDMScheduler") else {
            throw s.refusal("_class_name", "is \(name ?? .null): only PNDMScheduler is supported")
        }
        schedule = try DiffusionSchedule(s)
        stepsOffset = try s.integer("steps_offset", default: 0, in: 0...100)
        endsClean = try s.flag("set_alpha_to_one", default: false)
        let kind = try s.text("prediction_type", among: ["epsilon", "v_prediction"])
        prediction = Prediction(rawValue: kind) ?? .epsilon
        guard try s.flag("skip_prk_steps", default: false) else {
            throw s.refusal("skip_prk_steps", "is not true: Runge-Kutta steps are not supported")
        }
        try s.expect(["timestep_spacing": .text("leading")])
        // An option of another scheduler, which the official file carries along.
        s.ignore("clip_sample")
        try s.finish()
    }

    private var trainingSteps: Int { schedule.alphasCumulative.count }

    /// The times at which the network is called, for so many steps: one more, since the second is taken twice.
    ///
    /// - Throws: for more steps than times, and for none.
    public func times(steps: Int) throws(UnCLIPError) -> [Int] {
        guard (1...trainingSteps).contains(steps) else {
            throw UnCLIPError("draw", "a picture", "\(steps) steps, allowed are 1 to \(trainingSteps)")
        }
        let ratio = trainingSteps / steps
        let base = (0..<steps).map { $0 * ratio + stepsOffset }
        guard let last = base.last, last < trainingSteps else {
            throw UnCLIPError("draw", "a picture", "\(steps) steps: the first would be at a time beyond the schedule")
        }
        guard steps > 1 else { return [last] }
        return [last, base[steps - 2]] + base.dropLast().reversed()
    }

    /// The amount of the picture that is left at a time; before the first time, what the last step ends at.
    func alpha(_ time: Int) -> Double {
        time >= 0 ? Double(schedule.alphasCumulative[time]) : endsClean ? 1 : Double(schedule.alphasCumulative[0])
    }

    /// The state of a picture that is being drawn: what earlier calls gave.
    struct State {
        /// Outputs of the network, the latest last; at most four.
        fileprivate var outputs: [[Float]] = []
        /// The sample before the first call, from which the second steps again.
        fileprivate var kept: [Float] = []
        fileprivate var calls = 0
    }

    /// Moves a sample a step on, by the network's output at a time.
    func step(_ sample: inout [Float], output: [Float], time: Int, steps: Int, _ state: inout State) {
        let ratio = trainingSteps / steps
        var (from, to) = (time, time - ratio)
        if state.calls == 1 {
            // The first step again, from where it began, now by the mean of its two ends.
            (from, to) = (time + ratio, time)
        } else {
            state.outputs = state.outputs.suffix(3) + [output]
        }
        let past = state.outputs
        let combined: [Float]
        if state.calls == 0 {
            combined = output
            state.kept = sample
        } else if state.calls == 1 {
            combined = Self.sum([(0.5, output), (0.5, past[0])])
            sample = state.kept
            state.kept = []
        } else {
            // Adams-Bashforth of the order that there are outputs for.
            let weights: [Double] =
                switch past.count {
                case 1: [1]
                case 2: [3.0 / 2, -1.0 / 2]
                case 3: [23.0 / 12, -16.0 / 12, 5.0 / 12]
                default: [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24]
                }
            combined = Self.sum(Array(zip(weights, past.reversed())))
        }
        state.calls += 1
        move(&sample, by: combined, from: from, to: to)
    }

    private static func sum(_ terms: [(weight: Double, values: [Float])]) -> [Float] {
        var total = [Float](repeating: 0, count: terms[0].values.count)
        for (weight, values) in terms {
            for index in total.indices { total[index] += Float(weight) * values[index] }
        }
        return total
    }

    /// x' = √(ᾱ'/ᾱ) x − (ᾱ' − ᾱ) ε / (ᾱ √(1−ᾱ') + √(ᾱ (1−ᾱ) ᾱ'))
    private func move(_ sample: inout [Float], by output: [Float], from: Int, to: Int) {
        let (now, next) = (alpha(from), alpha(to))
        let scale = (next / now).squareRoot()
        let share = (next - now) / (now * (1 - next).squareRoot() + (now * (1 - now) * next).squareRoot())
        let (picture, noise) = (Float(now.squareRoot()), Float((1 - now).squareRoot()))
        for index in sample.indices {
            let x = sample[index]
            let epsilon = prediction == .v ? picture * output[index] + noise * x : output[index]
            sample[index] = Float(scale) * x - Float(share) * epsilon
        }
    }
}
