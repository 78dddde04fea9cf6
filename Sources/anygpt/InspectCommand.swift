import ArgumentParser
import CheckpointTools
import Foundation
import Parity

/// `anygpt inspect PATH…`: what a folder or a file of weights is, and whether the daemon can use it.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Tells what a folder or a file of weights is, and what it lacks.",
        discussion: "Exits with 0 when the daemon can use all of them as they are, with 1 when something is missing.")

    @Argument(help: ArgumentHelp("Folders, or files of weights.", valueName: "path"))
    var paths: [String]

    @Flag(help: "Lists every tensor.")
    var tensors = false

    @Flag(help: "Prints JSON.")
    var json = false

    func run() throws {
        var (inspections, failed): ([Inspection], Bool) = ([], false)
        for path in paths {
            do {
                let inspection = try Inspection(URL(filePath: path))
                inspections.append(inspection)
                failed = failed || !inspection.missing.isEmpty
                if !json { show(inspection, path) }
            } catch {
                Terminal.complain("anygpt inspect: " + ReportTable.harmless("\(error)"))
                failed = true
            }
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Terminal.say(String(decoding: try encoder.encode(inspections), as: UTF8.self))
        }
        if failed { throw ExitCode(1) }
    }

    private func show(_ inspection: Inspection, _ path: String) {
        Terminal.say("\(path): \(inspection.kind.rawValue)")
        for fact in inspection.facts {
            Terminal.say(
                "  \(fact.label.padding(toLength: 12, withPad: " ", startingAt: 0)) \(ReportTable.harmless(fact.text))")
        }
        for (index, missing) in inspection.missing.prefix(20).enumerated() {
            Terminal.say("  \(index == 0 ? "missing     " : "            ") \(ReportTable.harmless(missing))")
        }
        if inspection.missing.count > 20 { Terminal.say("               and \(inspection.missing.count - 20) more") }
        guard tensors else { return }
        let width = inspection.tensors.map(\.name.count).max() ?? 0
        for tensor in inspection.tensors {
            let name = ReportTable.harmless(tensor.name).padding(toLength: width, withPad: " ", startingAt: 0)
            let type = tensor.dtype.padding(toLength: 4, withPad: " ", startingAt: 0)
            Terminal.say("    \(name)  \(type)  \(tensor.shape)  \(tensor.file)")
        }
    }
}
