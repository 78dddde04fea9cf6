import Checkpoints
import Foundation
import Tensors
import UnCLIP

/// Cases of kind unclip: a pipeline's folder, an image embedding with its noise and latents, and the stages of a picture
/// that is drawn from them; vae_only/… of a latent of its own; other folders of the same VAE.
struct UnCLIPKind {
    private let verification: Verification
    private let model: UnCLIPModel

    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        guard let folder = try folders(golden, with: UnCLIPFolder.index).first else {
            throw CaseError("verify", golden.folder.path, "no folder of it holds a pipeline (\(UnCLIPFolder.index))")
        }
        verification.stage("loading")
        let kind = UnCLIPKind(verification: verification, model: try UnCLIPModel(folder: folder))
        try kind.verifyParts()
        try kind.verifyDrawing()
        try kind.verifyDecoder()
    }

    /// The folders of a case that hold a file, by name.
    private static func folders(_ golden: GoldenCase, with file: String) throws -> [URL] {
        let names = try FileManager.default.contentsOfDirectory(atPath: golden.folder.path).sorted()
        return names.map { golden.file($0) }.filter {
            FileManager.default.fileExists(atPath: $0.appending(path: file).path)
        }
    }

    // MARK: What the UNet is given

    private func verifyParts() throws {
        try verification.compare("prompt_ids", TypedArray(model.prompt.ids, shape: [1, model.prompt.ids.count]))
        for (name, states) in [
            ("text_embedding_sum", model.prompt.states.embedded),
            ("text_layer_last_before_final_norm", model.prompt.states.last),
        ] { try verification.compare(name, states.reshaped([1] + states.shape)) }
        let states = model.prompt.states.normed
        let both = Tensor.concatenated([states, states]).reshaped([2] + states.shape)
        try verification.compare("prompt_embeds", both)
        try compare("alphas_cumprod", model.scheduler.schedule.alphasCumulative)
        try compare("noising_alphas_cumprod", model.embedding.schedule.alphasCumulative)
    }

    private func compare(_ name: String, _ values: [Float]) throws {
        try verification.compare(name, TypedArray(values, shape: [values.count]))
    }

    // MARK: Drawing

    private func verifyDrawing() throws {
        let inputs = try verification.golden.inputs()
        guard inputs.info("latents") != nil else { return }
        let call = verification.golden.about["call"]
        let steps = call?["num_inference_steps"]?.integer ?? 20
        let guidance = Float(call?["guidance_scale"]?.number ?? 10)
        let embedding = try inputs.tensor("image_embeds")
        let noise = try inputs.tensor("noise")
        let latents = try inputs.tensor("latents")
        guard embedding.count == model.embeddingSize, noise.count == embedding.count, latents.shape.count == 4 else {
            throw CheckpointError(
                file: inputs.url.path,
                reason: "holds an embedding of \(embedding.shape), noise of \(noise.shape) and "
                    + "latents of \(latents.shape); the model takes \(model.embeddingSize) numbers")
        }
        let stages = model.embedding.stages(embedding.values, noise: noise.values, level: 0)
        for (name, values) in [
            ("embeds_normalised", stages.normalised), ("embeds_noised", stages.noised),
            ("embeds_unscaled", stages.unscaled),
        ] { try verification.compare(name, TypedArray(values, shape: [1, values.count])) }
        let zeros = [Float](repeating: 0, count: stages.label.count)
        try verification.compare("class_labels", TypedArray(zeros + stages.label, shape: [2, stages.label.count]))
        let times = try model.scheduler.times(steps: steps)
        try verification.compare("timesteps", TypedArray(times, shape: [times.count]))

        let run = try PictureRun(
            model, embedding: embedding.values, noise: noise.values,
            latents: latents.reshaped(Array(latents.shape.dropFirst())), steps: steps, guidance: guidance)
        var seen: [(name: String, value: Tensor)] = []
        var (outputs, samples): ([Float], [Float]) = ([], [])
        run.onStage = { stage in
            switch stage {
            case .input(let value): seen.append(("unet_first_input", value))
            case .unet(let name, let value): seen.append(("unet_first/" + Self.shortened(name), value))
            case .output(let value): seen.append(("unet_first_output", value))
            case .call(let index, let output, let sample):
                outputs += output
                samples += sample
                seen.append(("latents_after_call_\(index + 1)", Tensor(sample, shape: latents.shape)))
            case .picture(let value): seen.append(("image_float", value))
            case .vae: break
            }
        }
        verification.stage("drawing: \(run.progress.step) of \(run.progress.steps)")
        while run.advance() { verification.stage("drawing: \(run.progress.step) of \(run.progress.steps)") }
        for (name, value) in seen { try verification.compare(name, value) }
        let all = [times.count] + latents.shape.dropFirst()
        try verification.compare("guided_v_all", TypedArray(outputs, shape: all))
        try verification.compare("latents_all", TypedArray(samples, shape: all))
        try verification.compare(
            "latents_final", TypedArray(Array(samples.suffix(latents.count)), shape: latents.shape))
        let picture = run.picture
        try verification.compare(
            "rgb",
            TypedArray(dtype: .uint8, shape: [picture.size.height, picture.size.width, 3], bytes: picture.pixels))
    }

    /// A module's name as the cases have it: `down_blocks.0.resnets.1` is `down0_resnet1`.
    private static func shortened(_ name: String) -> String {
        let parts = name.split(separator: ".").map(String.init)
        guard parts.count > 1, parts[0].hasSuffix("_blocks") else { return name }
        let block = parts[0].dropLast("_blocks".count)
        guard parts.count > 3 else { return "\(block)_block_\(parts[1])" }
        return "\(block)\(parts[1])_\(parts[2].dropLast())\(parts[3])"
    }

    // MARK: The decoder alone

    private func verifyDecoder() throws {
        let name = "vae_only_latents"
        guard verification.expects(name) else { return }
        verification.stage("decoding")
        verification.pass(over: name, "the question")
        let latents = try verification.golden.expected.tensor(name)
        guard latents.shape.count == 4, latents.rows == 1,
            latents.shape[1] == model.configuration.latentChannels, latents.count > 0
        else {
            return verification.fail("vae_only_image", "vae_only_latents have shape \(latents.shape)")
        }
        var seen: [(name: String, value: Tensor)] = []
        let picture = model.vae.decode(latents) { seen.append(($0, $1)) }
        for (name, value) in seen {
            try verification.compare("vae_only/" + (name == "post_quant_conv" ? "post_quant" : name), value)
        }
        try verification.compare("vae_only_image", picture)

        // Every other folder with a VAE holds the same one, perhaps under other names: each must give the same bits.
        for folder in try Self.folders(verification.golden, with: "config.json") {
            verification.stage(folder.lastPathComponent)
            let other = try VAEDecoder(folder: folder)
            verification.check(
                "\(folder.lastPathComponent) (the same picture)", .exact,
                expected: TypedArray(picture.values, shape: picture.shape),
                actual: TypedArray(other.decode(latents).values, shape: picture.shape))
        }
    }
}
