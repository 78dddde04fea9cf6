import ArgumentParser
import Compute
import Foundation
import Parity

/// `anygpt verify CASE_DIR…`: whether our networks compute what the reference does.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Holds the networks' numbers against those of the reference implementation.",
        discussion: """
            A golden case is a folder with a model, inputs, and what the reference computes from them. Each of its \
            tensors is compared by the rule that its compare.json has for it.

            largest is the largest absolute difference; relative is that as a part of the largest expected magnitude \
            (for relative rules, the largest of the elements' own); equal is the share of equal elements.

            Exits with 0 when everything agrees, 1 when something differs, and 2 when a folder is no case that can be \
            verified.
            """)

    @Argument(help: ArgumentHelp("Folders of golden cases, such as Tests/Golden/llama-hf.", valueName: "case-dir"))
    var folders: [String]

    @Flag(help: "Prints the reports as JSON.")
    var json = false

    func run() async throws {
        let table = Terminal.table
        var reports: [CaseReport] = []
        var refused = false
        for folder in folders {
            do {
                let report = try await verify(folder)
                reports.append(report)
                if !json { Terminal.say(table.text(report) + (folder == folders.last ? "" : "\n")) }
            } catch {
                refused = true
                Terminal.complain("anygpt verify: " + ReportTable.harmless("\(error)"))
            }
        }
        if json { Terminal.say(try CaseReport.json(reports)) }
        if refused { throw ExitCode(2) }
        if !reports.allSatisfy(\.succeeded) { throw ExitCode(1) }
    }

    /// Verifies on a thread of its own: networks are no work for the cooperative pool.
    private func verify(_ folder: String) async throws -> CaseReport {
        let progress = ProgressLine(URL(filePath: folder).standardizedFileURL.lastPathComponent)
        let shown = Task { await progress.show() }
        let result = await onThread(named: "verify") {
            Result { try CaseVerifier.verify(URL(filePath: folder)) { progress.stage = $0 } }
        }
        shown.cancel()
        await shown.value
        return try result.get()
    }
}
