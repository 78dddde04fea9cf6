import Checkpoints
import Foundation

/// Cases of kind torch-file: files that `torch.save` wrote, and what must be read from them, to the last bit. An
/// expected tensor FILE/key is the tensor `key` of the file whose name, without its ending, is FILE.
enum TorchFileKind {
    static func run(_ verification: Verification) throws {
        let golden = verification.golden
        var keys: [String: Set<String>] = [:]
        for name in golden.expected.names {
            let stem = name.prefix { $0 != "/" }
            keys[String(stem), default: []].insert(String(name.dropFirst(stem.count + 1)))
        }
        var readStems: Set<String> = []
        for file in try files(of: golden) {
            verification.stage(file)
            let checkpoint = try Checkpoint.open(golden.file(file))
            let stem = String(file.prefix(upTo: file.lastIndex(of: ".") ?? file.endIndex))
            if keys[stem] != nil, readStems.insert(stem).inserted {
                try compare(checkpoint, file, stem, verification)
            } else if let twin = twin(of: checkpoint, file, among: keys, golden.about) {
                try compareTwin(checkpoint, file, twin, verification)
            } else {
                verification.add(
                    Row(file, rule: "–", outcome: .notCompared, note: "read; nothing is expected of it"))
            }
        }
        for stem in keys.keys where !readStems.contains(stem) {
            for key in keys[stem, default: []] {
                verification.fail("\(stem)/\(key)", "the case has no file \(stem).*")
            }
        }
    }

    /// The files that were written by torch: all that `case.json` describes, and what else is not the case's own.
    private static func files(of golden: GoldenCase) throws -> [String] {
        let described = golden.about["files"]?.members.keys.map { $0 } ?? []
        let all = try FileManager.default.contentsOfDirectory(
            at: golden.folder, includingPropertiesForKeys: [.isRegularFileKey])
        let others = all.map(\.lastPathComponent).filter { name in
            !name.hasPrefix(".") && !["json", "safetensors", "md", "txt", "py"].contains { name.hasSuffix(".\($0)") }
                && name.contains(".")
        }
        return Set(described + others).sorted(by: isBefore)
    }

    private static func compare(
        _ checkpoint: Checkpoint, _ file: String, _ stem: String, _ verification: Verification
    ) throws {
        for key in verification.expectedNames(after: "\(stem)/") {
            guard checkpoint.info(key) != nil else {
                verification.fail("\(stem)/\(key)", "is not found in \(file)")
                continue
            }
            try verification.compare("\(stem)/\(key)", checkpoint.array(key), bits: true)
        }
        for key in checkpoint.names where !verification.expects("\(stem)/\(key)") {
            verification.add(
                Row(
                    "\(stem)/\(key)", shape: checkpoint.info(key)?.shape, rule: "–", outcome: .notCompared,
                    note: "found in \(file); nothing is expected of it"))
        }
    }

    /// The expected file of which another one is a copy in an older format: it has the same keys.
    private static func twin(
        of checkpoint: Checkpoint, _ file: String, among keys: [String: Set<String>], _ about: JSON
    ) -> String? {
        let same = keys.filter { $0.value == Set(checkpoint.names) }.map(\.key).sorted(by: isBefore)
        let words = about["files"]?[file]?.text ?? ""
        return same.first { words.contains("\($0).") } ?? same.first
    }

    private static func compareTwin(
        _ checkpoint: Checkpoint, _ file: String, _ twin: String, _ verification: Verification
    ) throws {
        for key in checkpoint.names {
            verification.add(
                Comparison.row(
                    "\(file)/\(key) (as \(twin)/\(key))", .exact,
                    expected: try verification.golden.expected.array("\(twin)/\(key)"),
                    actual: try checkpoint.array(key), bits: true))
        }
    }
}
