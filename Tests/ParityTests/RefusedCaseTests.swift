import Checkpoints
import Foundation
import Parity
import TestSupport
import Testing

/// Folders that are no cases: one line that says what is wrong with which file.
@Suite("Folders that are refused")
struct RefusedCaseTests {
    private func refusal(_ folder: URL) -> String {
        do {
            _ = try CaseVerifier.verify(folder)
            return ""
        } catch {
            return "\(error)"
        }
    }

    private func refusal(_ name: String, _ change: (AlteredCase) throws -> Void) throws -> String {
        let altered = try AlteredCase(name)
        try change(altered)
        let line = refusal(altered.folder)
        #expect(!line.isEmpty && !line.contains("\n") && line.contains(altered.folder.path), "\(line)")
        return line
    }

    @Test("folders that are not there, empty, or files")
    func noCase() throws {
        #expect(refusal(URL(filePath: "/nowhere")) == "cannot verify /nowhere: there is no such folder")
        #expect(refusal(Golden.file("chain", "case.json")).hasSuffix("there is no such folder"))
        #expect(refusal(Golden.tests).hasSuffix("it is no golden case, for it has no compare.json"))
        #expect(try refusal("chain") { try $0.remove("case.json") }.hasSuffix("it has no case.json"))
    }

    @Test("missing files are named")
    func missing() throws {
        for (name, file) in [
            ("sampling", "expected.safetensors"), ("sampling", "inputs.safetensors"),
            ("soundstorm", "speechtokenizer_soundstorm_mls.pt"), ("speechtokenizer-elu", "ckpt.dev"),
            ("speechtokenizer-elu", "config.json"), ("llama-hf", "model-00002-of-00003.safetensors"),
            ("llama-hf", "tokenizer.model"), ("llama-hf", "config.json"), ("torch-file", "views.pt"),
        ] {
            let line = try refusal(name) { try $0.remove(file) }
            #expect(line.contains(file), "\(line)")
        }
    }

    @Test("files that are cut off are named")
    func cutOff() throws {
        for (name, file) in [
            ("sampling", "expected.safetensors"), ("sampling", "inputs.safetensors"), ("sampling", "compare.json"),
            ("sampling", "case.json"), ("soundstorm", "speechtokenizer_soundstorm_mls.pt"),
            ("speechtokenizer-elu", "ckpt.dev"), ("llama-hf", "pytorch_model-00001-of-00003.bin"),
            ("llama-hf", "strings.json"), ("torch-file", "plain.pt"), ("torch-file", "legacy.pt"),
        ] {
            let line = try refusal(name) { altered in
                let data = try Data(contentsOf: Golden.file(name, file))
                try altered.write(file, data.prefix(data.count * 2 / 3))
            }
            #expect(line.contains(file), "\(line)")
        }
    }

    @Test("a kind without a network, and rules that are none")
    func rules() throws {
        let kind = try refusal("sampling") { try $0.change("compare.json") { $0["kind"] = "hologram" } }
        #expect(kind.contains("its kind is hologram, and no network for it is here yet"))
        #expect(
            try refusal("sampling") { try $0.change("compare.json") { $0["kind"] = nil } }.contains("names no kind"))
        let empty = try refusal("sampling") { try $0.changeRules { $0 = [:] } }
        #expect(empty.contains("no rule for any tensor"))
        for rule: Any in [
            [:], ["exact": false], ["abs": -1], ["abs": "x"], ["abs": 1, "rel": 1], ["exact": true, "level": -1],
            ["exact": true, "sloppy": true], ["exact_where": ["tensor": "margin"]], ["levels": 0.5], 7,
        ] as [Any] {
            let line = try refusal("sampling") { try $0.changeRules { $0["top_k.probs"] = rule } }
            #expect(line.contains("compare.json: the rule for top_k.probs "), "\(line)")
        }
    }

    @Test("inputs that make no sense")
    func inputs() throws {
        let ids = try refusal("sampling") { altered in
            try altered.changeTensors(
                of: "inputs.safetensors", ["previous_ids": .init([Int](repeating: 600, count: 8), shape: [8, 1])])
        }
        #expect(ids.contains("previous_ids") && ids.contains("600"))
        let chunks = try refusal("llama-hf") { altered in
            try altered.changeTensors(of: "inputs.safetensors", ["prompt0.chunks": .init([5, -1, 9], shape: [3])])
        }
        #expect(chunks.contains("prompt0.chunks"))
        let noise = try refusal("soundstorm") { altered in
            try altered.changeTensors(of: "inputs.safetensors", ["noise": .init([1, 70000], shape: [1, 1, 2])])
        }
        #expect(noise.contains("noise"))
    }
}
