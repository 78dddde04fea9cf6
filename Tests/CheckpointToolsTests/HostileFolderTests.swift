import AnyGPT
import Checkpoints
import Foundation
import Llama
import TestModels
import TestSupport
import Testing
import Tokenizers

@testable import CheckpointTools

/// Every broken folder through the doors that a user has: `inspect`, `convert`, and the start of a daemon. Each ends with
/// one line that says what is wrong, and neither crashes, waits nor takes memory for what a file merely claims.
@Suite("Hostile folders", .timeLimit(.minutes(5))) struct HostileFolderTests {
    /// Beside the bundle of tests.
    private static let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    /// An honest model, and copies of it with files replaced.
    private final class Place {
        private let honest: SyntheticModel
        private let parent: URL

        init() throws {
            honest = try SyntheticModel(
                LlamaConfiguration(
                    vocab_size: 430, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 1,
                    num_attention_heads: 4, num_key_value_heads: 2),
                seed: 9)
            parent = FileManager.default.temporaryDirectory.appending(path: "hostile-\(UUID().uuidString)")
            let tokens = [
                "[Human]", "[MMGPT]", "<eoh>", "<eos>", "<🗣️0>", "<🗣️1>", "<sosp>", "<eosp>", "<-Res->", "<-Ins->",
            ]
            let ids = tokens.enumerated().map { "\"\($1)\": \(420 + $0)" }.joined(separator: ", ")
            try Data("{\(ids)}".utf8).write(to: honest.folder.appending(path: "added_tokens.json"))
            for name in ["special_tokens_map.json", "tokenizer_config.json"] {
                try Data("{}".utf8).write(to: honest.folder.appending(path: name))
            }
            try FileManager.default.copyItem(
                at: Golden.file("llama-hf", "tokenizer.model"), to: honest.folder.appending(path: "tokenizer.model"))
        }

        deinit {
            honest.remove()
            try? FileManager.default.removeItem(at: parent)
        }

        /// A folder of links to the honest files, and of what a case has in their place.
        func folder(_ files: [(name: String, content: HostileFolders.Content)] = []) throws -> URL {
            let folder = parent.appending(path: UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: honest.folder.path)
            where !files.contains(where: { $0.name == name }) {
                try FileManager.default.createSymbolicLink(
                    at: folder.appending(path: name), withDestinationURL: honest.folder.appending(path: name))
            }
            for (name, content) in files { try write(content, to: folder.appending(path: name)) }
            return folder
        }

        private func write(_ content: HostileFolders.Content, to url: URL) throws {
            switch content {
            case .bytes(let bytes): try Data(bytes).write(to: url)
            case .text(let text): try Data(text.utf8).write(to: url)
            case .folder: try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            case .pipe: try #require(mkfifo(url.path, 0o600) == 0)
            case .link(let target):
                try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: target)
            case .sparse(let size):
                try Data().write(to: url)
                try #require(truncate(url.path, size) == 0)
            case .missing: break
            }
        }
    }

    @Test("the honest folder is whole, so that refusals are for what the cases say")
    func honest() throws {
        let place = try Place()
        #expect(try Inspection(place.folder()).missing == [])
    }

    /// One process for all, so that a crash at any of them loses the rest. It gets addresses for four gigabytes, far fewer
    /// than what the files claim.
    @Test("inspect says one line of each and goes on to the next")
    func inspect() throws {
        let place = try Place()
        let cases = try HostileFolders.all.map { (name: $0.name, folder: try place.folder($0.files).path) }
        #expect(cases.count > 150)
        let said = FileManager.default.temporaryDirectory.appending(path: "inspections-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: said) }
        try Data().write(to: said)
        let (output, errors) = (try FileHandle(forWritingTo: said), Pipe.own())
        let child = try Child(
            "/bin/sh",
            ["-c", "ulimit -v 4000000 && exec \"$0\" \"$@\"", Self.programs.appending(path: "anygpt").path]
                + ["inspect", "--json"] + cases.map(\.folder),
            output: output, error: errors.fileHandleForWriting)
        try errors.fileHandleForWriting.close()
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .split(separator: "\n")
        #expect(child.wait() == 1)
        struct Found: Decodable {
            let path: String
            let kind: String
            let missing: [String]
        }
        let found = try JSONDecoder().decode([Found].self, from: Data(contentsOf: said))
        #expect(found.count + complaints.count == cases.count)
        for (name, folder) in cases {
            if let found = found.first(where: { $0.path == folder }) {
                // Weights whose configuration tells nothing are told as what they are: of another kind.
                #expect(!found.missing.isEmpty || found.kind == Inspection.Kind.other.rawValue, "\(name)")
                #expect(found.missing.allSatisfy(isOneLine), "\(name): \(found.missing)")
            } else {
                #expect(complaints.count { $0.contains(folder) && $0.hasPrefix("anygpt inspect: ") } == 1, "\(name)")
            }
        }
    }

    @Test("convert refuses each and leaves no weights", arguments: HostileFolders.all.filter { !$0.isOfTheTokenizer })
    func convert(_ hostile: HostileFolders.Case) throws {
        let place = try Place()
        let source = try place.folder(hostile.files)
        let target = ConversionTests.Target()
        let error = #expect(throws: (any Error).self) {
            try Conversion(from: source, to: target.url, precision: .bf16).run { _ in }
        }
        let line = error.map { "\($0)" } ?? ""
        #expect(isOneLine(line) && line.contains(source.lastPathComponent), "\(line)")
        #expect(throws: (any Error).self) { try Checkpoint.open(target.url) }
    }

    @Test("a daemon does not start with any of some, and says why in its last line")
    func daemon() async throws {
        let place = try Place()
        let all = HostileFolders.all
        for hostile in stride(from: 0, to: all.count, by: 23).map({ all[$0] }) {
            let folder = try place.folder(hostile.files)
            try await withConfiguration([("\"Models/pocket/llama\"", "\"\(folder.path)\"")]) { file in
                let output = Pipe.own()
                let child = try Child(
                    Self.programs.appending(path: "anygptd").path, ["--config", file],
                    output: output.fileHandleForWriting, error: output.fileHandleForWriting)
                try output.fileHandleForWriting.close()
                let log = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                #expect(child.wait() == 66, "\(hostile.name): \(log)")
                let last = log.split(separator: "\n").last ?? ""
                #expect(last.hasPrefix("anygptd: ") && isOneLine(String(last)), "\(hostile.name): \(log)")
            }
        }
    }

    /// Something for a person to read, that does not play with the terminal and does not fill it.
    private func isOneLine(_ text: String) -> Bool {
        !text.isEmpty && text.count < 1000
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
