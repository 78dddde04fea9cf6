import AnyGPT
import CheckpointTools
import Foundation
import Server

/// Whether the models that a configuration names are there and whole.
struct ModelCheck {
    /// One finding for each model.
    let findings: [Finding]
    /// The size of the backbone's weights; nil when they can't be read.
    let backboneBytes: Int?

    /// Looks at each model once.
    init(_ model: Configuration.Model) {
        let backbone = Result { try Inspection(URL(filePath: model.llama)) }
        let inspected = try? backbone.get()
        // What is no backbone has no say in what the others must be.
        let vocabulary = inspected?.kind == .backbone && inspected?.codes.isEmpty == false ? inspected : nil
        backboneBytes = inspected?.tensors.reduce(0) { $0 + $1.bytes }
        func finding(_ subject: String, _ path: String, _ kind: Inspection.Kind) -> Finding {
            Self.finding(subject, path, kind, Result { try Inspection(URL(filePath: path)) }, vocabulary)
        }
        /// A model that a daemon can do without, as an empty path says.
        func optional(_ subject: String, _ path: String, _ kind: Inspection.Kind, without: String) -> Finding {
            path.isEmpty ? .ok(subject, "none: \(without)") : finding(subject, path, kind)
        }
        findings = [
            Self.finding(
                "backbone", model.llama, .backbone, backbone, nil, more: "taught \(model.backboneKind.taught)"),
            finding("speech tokenizer", model.speechTokenizer, .speechTokenizer),
            finding("SoundStorm", model.soundStorm, .soundStorm), Self.voice(model.voice),
            optional("pictures in", model.seed, .imageTokenizer, without: "pictures are neither seen nor drawn"),
            optional("pictures out", model.unclip, .pictures, without: "pictures are not drawn"),
            optional("music", model.encodec, .encodec, without: "music is neither heard nor made"),
        ]
    }

    /// - Parameters:
    ///   - vocabulary: The backbone, whose vocabulary a tokenizer's codes must be those of.
    ///   - more: What else to say of a model that is whole.
    private static func finding(
        _ subject: String, _ path: String, _ kind: Inspection.Kind, _ inspected: Result<Inspection, any Error>,
        _ vocabulary: Inspection?, more: String? = nil
    ) -> Finding {
        let advice = "give its path in [model] of the configuration; anygpt pull fetches official models"
        do {
            let inspection = try inspected.get()
            guard inspection.kind == kind else {
                return .fault(subject, "\(path) is a \(inspection.kind.rawValue)", advice)
            }
            guard let missing = inspection.missing.first else {
                for (modality, count) in inspection.codes {
                    guard let known = vocabulary?.codes, known[modality] != count else { continue }
                    return .fault(
                        subject, "\(path) has \(count) codes, the backbone \(known[modality] ?? 0) \(modality) tokens",
                        "name the folders of one model in [model] of the configuration")
                }
                let facts = [path, "\(Size.count(inspection.parameters)) parameters", more].compactMap(\.self)
                return .ok(subject, facts.joined(separator: ", "))
            }
            let others = inspection.missing.count > 1 ? " (and \(inspection.missing.count - 1) more)" : ""
            return .fault(subject, "\(path) lacks \(missing)\(others)", "anygpt inspect \(path) tells all of it")
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
