import Checkpoints
import Foundation

/// A folder with a tiny model, inputs, and what the reference implementation computes from them; see
/// `Tests/Golden/README.md`.
public struct GoldenCase: Sendable {
    /// The case's folder.
    public let folder: URL
    /// What is verified: "llama-hf", "soundstorm" …
    public let kind: String
    /// How each expected tensor is compared, by its name.
    public let rules: [String: Rule]

    /// The contents of `case.json`.
    let about: JSON
    /// The reference's tensors.
    let expected: Checkpoint

    /// Opens a case. Throws a `CaseError` or `CheckpointError`, which is one line with file and reason.
    public init(_ folder: URL) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw CaseError("verify", folder.path, "there is no such folder")
        }
        for name in ["compare.json", "case.json"] {
            guard FileManager.default.fileExists(atPath: folder.appending(path: name).path) else {
                throw CaseError("verify", folder.path, "it is no golden case, for it has no \(name)")
            }
        }
        let file = folder.appending(path: "compare.json")
        let comparison = try JSON.read(file)
        guard let kind = comparison["kind"]?.text else { throw CaseError("read", file.path, "it names no kind") }
        guard let compare = comparison["compare"], case .object(let entries) = compare, !entries.isEmpty else {
            throw CaseError("read", file.path, "it has no rule for any tensor (compare)")
        }
        var rules: [String: Rule] = [:]
        for (name, entry) in entries {
            do throws(Rule.Refusal) {
                rules[name] = try Rule(entry)
            } catch {
                throw CaseError("read", file.path, "the rule for \(name) \(error.reason)")
            }
        }
        self.folder = folder
        self.kind = kind
        self.rules = rules
        about = try JSON.read(folder.appending(path: "case.json"))
        let tensors = comparison["reference_tensors"]?.text ?? "expected.safetensors"
        expected = try Checkpoint.open(folder.appending(path: tensors))
    }

    /// The case's name: that of its folder.
    public var name: String { folder.standardizedFileURL.lastPathComponent }

    /// A file of the case.
    func file(_ name: String) -> URL { folder.appending(path: name) }

    /// Whether the case has a file.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }

    /// What the networks are given.
    func inputs() throws -> Checkpoint {
        let name = has("input.safetensors") && !has("inputs.safetensors") ? "input" : "inputs"
        return try Checkpoint.open(file("\(name).safetensors"))
    }

    /// The file that `model_files` of `case.json` describes and that satisfies `isWanted`, or `name` where it describes
    /// none.
    func modelFile(_ name: String, where isWanted: (String) -> Bool) -> URL {
        Self.modelFile(name, in: folder, about, where: isWanted)
    }

    /// The same for any folder and what its `case.json` says.
    static func modelFile(_ name: String, in folder: URL, _ about: JSON, where isWanted: (String) -> Bool) -> URL {
        let described = about["model_files"]?.members.keys.filter { file in
            isWanted(file) && FileManager.default.fileExists(atPath: folder.appending(path: file).path)
        }
        return folder.appending(path: described?.min() ?? name)
    }
}
