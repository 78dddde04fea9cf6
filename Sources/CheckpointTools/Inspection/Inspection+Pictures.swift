import Checkpoints
import Foundation
import UnCLIP

extension Inspection {
    /// The components of a pipeline, and what its configurations say. Which tensors the networks take is checked when
    /// they are loaded.
    mutating func describePictures(_ url: URL) {
        for component in ["unet", "vae", "text_encoder", "image_normalizer"] {
            guard let file = UnCLIPFolder.weightsFile(of: component, in: url) else {
                missing.append("the weights of \(component)")
                continue
            }
            do {
                describe(try Checkpoint.open(file), as: component)
            } catch {
                missing.append("\(error)")
            }
        }
        add("parameters", Size.count(parameters))
        do {
            let settings = try UnCLIPSettings(folder: url)
            let (c, size) = (settings.unet, settings.standardSize)
            add("embedding", "\(settings.embeddingSize) numbers")
            add("picture", "\(size.width) × \(size.height) pixels, latents \(c.sampleSize) × \(c.sampleSize)")
            add("shape", "channels \(c.channels), heads \(c.heads), \(c.layersPerBlock) blocks a level")
            add("scheduler", "PNDM, \(settings.scheduler.prediction.rawValue)")
        } catch {
            missing.append("\(error)")
        }
    }
}
