import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@testable import UnCLIP

@Suite("Scheduler") struct SchedulerTests {
    private func scheduler(_ changes: [String: String] = [:]) throws -> PNDMScheduler {
        let folder = try TemporaryFolder()
        var lines = [
            "_class_name": "\"PNDMScheduler\"", "beta_start": "0.00085", "beta_end": "0.012",
            "beta_schedule": "\"scaled_linear\"", "skip_prk_steps": "true", "steps_offset": "1",
            "prediction_type": "\"v_prediction\"",
        ]
        lines.merge(changes) { $1 }
        let text = "{" + lines.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
        let file = folder.url.appending(path: "scheduler_config.json")
        try Data(text.utf8).write(to: file)
        return try PNDMScheduler(contentsOf: file)
    }

    @Test("the second time is taken twice, from the top")
    func times() throws {
        let scheduler = try scheduler()
        let twenty = try scheduler.times(steps: 20)
        #expect(twenty.prefix(4) == [951, 901, 901, 851])
        #expect(twenty.count == 21)
        #expect(twenty.last == 1)
        #expect(try scheduler.times(steps: 1) == [1])
        #expect(try scheduler.times(steps: 2) == [501, 1, 1])
        #expect(throws: UnCLIPError.self) { try scheduler.times(steps: 1000 + 1) }
    }

    @Test("the reference's outputs move the latents as in the reference")
    func recorded() throws {
        let folder = Golden.folder("unclip")
        let expected = try Checkpoint.open(folder.appending(path: "expected.safetensors"))
        let inputs = try Checkpoint.open(folder.appending(path: "input.safetensors"))
        let outputs = try expected.tensor("guided_v_all")
        let samples = try expected.tensor("latents_all")
        let scheduler = try PNDMScheduler(
            contentsOf: folder.appending(path: "stable-diffusion-2-1-unclip/scheduler/scheduler_config.json"))
        let steps = outputs.rows - 1
        var sample = try inputs.tensor("latents").values
        var state = PNDMScheduler.State()
        for (index, time) in try scheduler.times(steps: steps).enumerated() {
            let output = outputs[rows: index..<index + 1].values
            scheduler.step(&sample, output: output, time: time, steps: steps, &state)
            let worst = zip(sample, samples[rows: index..<index + 1].values).map { abs($0 - $1) }.max() ?? .nan
            #expect(worst < 2e-5, "call \(index)")
        }
    }

    @Test("what is computed otherwise is refused by name")
    func refused() throws {
        for (key, value) in [
            ("_class_name", "\"DDIMScheduler\""), ("skip_prk_steps", "false"), ("trained_betas", "[0.1]"),
            ("timestep_spacing", "\"trailing\""), ("prediction_type", "\"sample\""), ("beta_schedule", "\"sigmoid\""),
            ("rescale_betas_zero_snr", "true"), ("num_train_timesteps", "0"), ("steps_offset", "\"1\""),
        ] {
            let error = #expect(throws: UnCLIPError.self) { _ = try scheduler([key: value]) }
            #expect(error?.description.contains(key) == true)
        }
        #expect(throws: Never.self) { _ = try scheduler(["clip_sample": "true", "unknown_flag": "false"]) }
    }
}
