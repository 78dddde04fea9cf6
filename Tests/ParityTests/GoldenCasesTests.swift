import Foundation
import Parity
import TestSupport
import Testing

@Suite("Golden cases")
struct GoldenCasesTests {
    static let cases: [String] = {
        let folder = Golden.tests.appending(path: "Golden")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { FileManager.default.fileExists(atPath: Golden.file($0, "compare.json").path) }.sorted()
    }()

    @Test("there are cases of every kind that can be verified")
    func everyKind() throws {
        let kinds = try Self.cases.map { try GoldenCase(Golden.folder($0)).kind }
        #expect(Set(kinds) == Set(CaseVerifier.kinds))
    }

    @Test("every case in the repository passes, with a row for each of its tensors", arguments: cases)
    func passes(name: String) throws {
        let golden = try GoldenCase(Golden.folder(name))
        let report = try CaseVerifier.verify(Golden.folder(name))
        for row in report.rows where row.outcome == .failed { Issue.record("\(row.name): \(row.note ?? "")") }
        #expect(report.succeeded)
        #expect(report.kind == golden.kind)
        let rows = Set(report.rows.map(\.name))
        #expect(rows.count == report.rows.count, "a row twice")
        #expect(rows.isSuperset(of: golden.rules.keys))
    }

    @Test("what goes beyond the expected tensors is checked too")
    func extraRows() throws {
        let chain = try CaseVerifier.verify(Golden.folder("chain"))
        for name in ["prompt_text (case.json)", "prompt_ids (in pieces as whole)", "wave (expected.wav)"] {
            #expect(chain.rows.contains { $0.name == name && $0.outcome == .passed }, "\(name)")
        }
        let torch = try CaseVerifier.verify(Golden.folder("torch-file"))
        #expect(torch.rows.contains { $0.name == "legacy.pt/bf16 (as plain/bf16)" && $0.outcome == .passed })
    }
}
