import CheckpointTools
import Foundation
import Server

/// Whether the models that a configuration names are there and whole.
enum ModelCheck {
    static func findings(_ configuration: Configuration) -> [Finding] {
        let model = configuration.model
        return [
            finding("backbone", model.llama, .backbone),
            finding("speech tokenizer", model.speechTokenizer, .speechTokenizer),
            finding("SoundStorm", model.soundStorm, .soundStorm), voice(model.voice),
        ]
    }

    /// The size of the backbone's weights; nil when they can't be read.
    static func backboneBytes(_ configuration: Configuration) -> Int? {
        (try? Inspection(URL(filePath: configuration.model.llama)))?.tensors.reduce(0) { $0 + $1.bytes }
    }

    private static func finding(_ subject: String, _ path: String, _ kind: Inspection.Kind) -> Finding {
        let advice = "give its path in [model] of the configuration; anygpt pull fetches official models"
        do {
            let inspection = try Inspection(URL(filePath: path))
            guard inspection.kind == kind else {
                return .fault(subject, "\(path) is a \(inspection.kind.rawValue)", advice)
            }
            guard let missing = inspection.missing.first else {
                return .ok(subject, "\(path), \(Size.count(inspection.parameters)) parameters")
            }
            let more = inspection.missing.count > 1 ? " (and \(inspection.missing.count - 1) more)" : ""
            return .fault(subject, "\(path) lacks \(missing)\(more)", "anygpt inspect \(path) tells all of it")
        } catch {
            return .fault(subject, "\(error)", advice)
        }
    }

    private static func voice(_ path: String) -> Finding {
        guard !path.isEmpty else { return .ok("voice", "none: SoundStorm makes one up") }
        return FileManager.default.isReadableFile(atPath: path)
            ? .ok("voice", path)
            : .fault("voice", "\(path) can't be read", "give a recording in model.voice, or leave it empty")
    }
}
