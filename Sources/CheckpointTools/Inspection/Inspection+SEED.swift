import Checkpoints
import Foundation
import SEED

extension Inspection {
    /// Whether a folder has a part of a SEED tokenizer; it needs no description.
    static func isImageTokenizer(_ url: URL) -> Bool {
        [SEEDModel.quantizerFile, SEEDModel.visionFile].contains { FileFacts(url.appending(path: $0)).exists }
    }

    /// The two files of a SEED tokenizer, what they make together, and the memory it takes.
    mutating func describeImageTokenizer(_ url: URL) {
        for (name, part) in [(SEEDModel.visionFile, "vision"), (SEEDModel.quantizerFile, "quantizer")] {
            let file = url.appending(path: name)
            guard FileFacts(file).exists else {
                missing.append("\(name), the \(part == "vision" ? "vision transformer" : "Q-Former and the codes")")
                continue
            }
            do {
                describe(try Checkpoint.open(file), as: part)
            } catch {
                missing.append("\(error)")
            }
        }
        add("parameters", Size.count(parameters))
        // What is there is described by the whole alone: the sizes of each part must fit the other's.
        guard missing.isEmpty else { return }
        do {
            let configuration = try SEEDConfiguration(folder: url)
            let model = try SEEDModel(folder: url, configuration: configuration)
            let (side, quantizer) = (model.vision.side, model.quantizer)
            add("picture", "\(side) × \(side) pixels: \(quantizer.queries) tokens, each one of \(quantizer.codes)")
            add("embedding", "\(quantizer.embeddingSize) numbers")
            codes["image"] = quantizer.codes
            let isDescribed = FileFacts(url.appending(path: SEEDConfiguration.fileName)).exists
            add(
                "shape",
                "\(configuration.visionDepth) blocks of \(configuration.visionHeads) heads that see, a Q-Former of "
                    + "\(configuration.queryHeads) heads, "
                    + (isDescribed ? "as \(SEEDConfiguration.fileName) says" : "as officially"))
            add("memory", "\(Size.text(tensors.reduce(0) { $0 + $1.bytes })) at most, mapped as they are")
        } catch {
            missing.append("\(error)")
        }
    }
}
