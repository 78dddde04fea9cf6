import Checkpoints
import Foundation

/// The folder of a diffusers pipeline, as `stabilityai/stable-diffusion-2-1-unclip` has it.
public struct UnCLIPFolder: Sendable {
    /// The folder.
    public let url: URL

    /// The components that a picture is drawn with, and the classes that they must be of.
    private static let components = [
        "image_noising_scheduler": "DDPMScheduler", "image_normalizer": "StableUnCLIPImageNormalizer",
        "scheduler": "PNDMScheduler", "text_encoder": "CLIPTextModel", "tokenizer": "CLIPTokenizer",
        "unet": "UNet2DConditionModel", "vae": "AutoencoderKL",
    ]
    /// What the folder may hold beside them, and is not used: the way from a picture to an embedding, and the prior that a
    /// text-to-picture pipeline of the same kind has.
    public static let unused = [
        "feature_extractor", "image_encoder", "prior", "prior_scheduler", "prior_text_encoder", "prior_tokenizer",
    ]

    /// The file by which a diffusers pipeline is known.
    public static let index = "model_index.json"

    /// Whether a folder holds a diffusers pipeline of any kind.
    public static func isPipeline(_ url: URL) -> Bool {
        FileManager.default.fileExists(atPath: url.appending(path: index).path)
    }

    /// Opens a folder, whose `model_index.json` must name the components of an unCLIP pipeline.
    public init(_ url: URL) throws(UnCLIPError) {
        self.url = url
        let index = try Settings(url.appending(path: Self.index))
        let name = index.take("_class_name")
        let classes = ["StableUnCLIPImg2ImgPipeline", "StableUnCLIPPipeline"]
        guard let name = name?.text, classes.contains(name) else {
            throw index.refusal("_class_name", "is \(name ?? .null), expected \(classes[0])")
        }
        for (component, expected) in Self.components.sorted(by: { $0.key < $1.key }) {
            guard case .list(let entry)? = index.take(component), entry.count == 2, let kind = entry[1].text else {
                throw index.refusal(component, "is missing")
            }
            // The same tokenizer in another programming language has the same files.
            guard kind == expected || component == "tokenizer" && kind == expected + "Fast" else {
                throw index.refusal(component, "is a \(kind): only \(expected) is supported")
            }
        }
        for component in Self.unused { _ = index.take(component) }
        try index.finish()
    }

    /// A file of a component.
    func file(_ component: String, _ name: String) -> URL { url.appending(path: component).appending(path: name) }

    /// The file (or index of shards) of a component's weights; nil where there is none.
    public static func weightsFile(of component: String, in url: URL) -> URL? {
        let folder = url.appending(path: component)
        let isText = component == "text_encoder"
        return try? weightsFile(
            folder, isText ? "model" : "diffusion_pytorch_model",
            pickle: isText ? "pytorch_model" : "diffusion_pytorch_model")
    }

    /// The file of a component's weights: safetensors before pickles, full precision before half. They are converted to
    /// fp32 whatever they are.
    static func weightsFile(_ folder: URL, _ base: String, pickle: String) throws(UnCLIPError) -> URL {
        let names = [
            "\(base).safetensors", "\(base).safetensors.index.json", "\(base).fp16.safetensors", "\(pickle).bin",
            "\(pickle).bin.index.json", "\(pickle).fp16.bin",
        ]
        let found = names.map { folder.appending(path: $0) }.first {
            FileManager.default.fileExists(atPath: $0.path)
        }
        guard let found else {
            throw UnCLIPError("load", folder.path, "it has no weights: none of \(names.joined(separator: ", "))")
        }
        return found
    }

    /// The weights of a component of diffusers.
    static func weights(_ folder: URL, passingOver: [TensorPattern] = []) throws -> Weights {
        let base = "diffusion_pytorch_model"
        return Weights(try Checkpoint.open(weightsFile(folder, base, pickle: base)), passingOver: passingOver)
    }
}
