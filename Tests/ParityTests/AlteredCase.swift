import Checkpoints
import Foundation
import Parity
import TestSupport

/// A copy of a golden case with something changed, removed with this object.
final class AlteredCase {
    let folder: URL

    /// Links to all files of a case; those that are written later take the links' places.
    init(_ name: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "parity-\(UUID().uuidString)/\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for file in try FileManager.default.contentsOfDirectory(atPath: Golden.folder(name).path) {
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: file), withDestinationURL: Golden.file(name, file))
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }

    func file(_ name: String) -> URL { folder.appending(path: name) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: file(name)) }

    func write(_ name: String, _ data: Data) throws {
        try? FileManager.default.removeItem(at: file(name))
        try data.write(to: file(name))
    }

    /// Changes the object in a JSON file.
    func change(_ name: String, _ change: (inout [String: Any]) -> Void) throws {
        let data = try Data(contentsOf: file(name))
        var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        change(&object)
        try write(name, JSONSerialization.data(withJSONObject: object))
    }

    /// Changes the rules of compare.json.
    func changeRules(_ change: (inout [String: Any]) -> Void) throws {
        try self.change("compare.json") { object in
            var rules = object["compare"] as? [String: Any] ?? [:]
            change(&rules)
            object["compare"] = rules
        }
    }

    /// Changes the tensors of a safetensors file: nil takes one out.
    func changeTensors(of name: String = "expected.safetensors", _ changes: [String: TypedArray?]) throws {
        let checkpoint = try Checkpoint.open(file(name))
        var writer = SafetensorsWriter()
        for tensor in checkpoint.names where changes[tensor] == nil { writer.add(tensor, try checkpoint.array(tensor)) }
        for case (let tensor, let array?) in changes { writer.add(tensor, array) }
        let other = file("other.tensors")
        try writer.write(to: other)
        try write(name, Data(contentsOf: other))
        try FileManager.default.removeItem(at: other)
    }

    func expected(_ name: String) throws -> TypedArray {
        try Checkpoint.open(file("expected.safetensors")).array(name)
    }

    func verify() throws -> CaseReport { try CaseVerifier.verify(folder) }

    /// The failed rows of a report that has some, by name.
    func failures() throws -> [String: Row] {
        let report = try verify()
        return Dictionary(uniqueKeysWithValues: report.rows.filter { $0.outcome == .failed }.map { ($0.name, $0) })
    }
}

extension TypedArray {
    /// The same with one element of fp32 changed.
    func with(_ value: Float, at index: Int) -> TypedArray {
        var values = floats
        values[index] = value
        return TypedArray(values, shape: shape)
    }

    /// The same integers with one changed.
    func with(_ value: Int, at index: Int) -> TypedArray {
        var values = integers ?? []
        values[index] = value
        return TypedArray(values, shape: shape)
    }
}
