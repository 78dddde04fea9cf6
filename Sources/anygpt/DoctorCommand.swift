import ArgumentParser
import Doctor
import Foundation
import Parity

/// `anygpt doctor`: whether this machine can run the daemon well, and what to do where it can't.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at what the daemon needs, and says what to do where something is wrong.",
        discussion: "Exits with 0 when the daemon can work, with 1 when something keeps it from that.")

    @Option(help: ArgumentHelp("The daemon's configuration.", valueName: "config.toml"))
    var config = "config.toml"

    @Flag(help: "Prints JSON.")
    var json = false

    func run() async throws {
        var findings: [Finding] = []
        let json = json
        await Checkup.run(configurationPath: config) { finding in
            findings.append(finding)
            if !json { Self.show(finding) }
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Terminal.say(String(decoding: try encoder.encode(findings), as: UTF8.self))
        }
        if findings.contains(where: { $0.state == .fault }) { throw ExitCode(1) }
    }

    private static func show(_ finding: Finding) {
        let (word, color) =
            switch finding.state {
            case .ok: ("ok   ", "32")
            case .note: ("note ", "33")
            case .fault: ("FAULT", "31")
            }
        let mark = Terminal.isColored ? "\u{1B}[\(color)m\(word)\u{1B}[0m" : word
        let subject = finding.subject.padding(toLength: 17, withPad: " ", startingAt: 0)
        Terminal.say("\(mark) \(subject)\(ReportTable.harmless(finding.text))")
        if let advice = finding.advice { Terminal.say("        → \(ReportTable.harmless(advice))") }
    }
}
