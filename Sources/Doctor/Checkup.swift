import AnyGPT
import Client
import Compute
import Foundation
import Server

/// Looks at what a daemon needs: processor, memory, libraries, configuration, models, port.
public enum Checkup {
    /// Looks at everything, one thing after the other; `report` is told each finding as it comes.
    ///
    /// - Parameters:
    ///   - configurationPath: the daemon's `config.toml`.
    ///   - measuring: whether to measure how fast memory is, which takes a second.
    public static func run(
        configurationPath: String, measuring: Bool = true, report: (Finding) -> Void
    ) async {
        report(Processor.instructions())
        let configuration: Configuration?
        do {
            configuration = try Configuration.load(path: configurationPath)
        } catch {
            configuration = nil
            report(.fault("configuration", "\(error)", "mend that line, or start from the config.toml of the sources"))
        }
        if let configuration {
            report(.ok("configuration", configurationPath))
            report(Processor.threads(configuration.compute.threads))
        }
        for finding in LibraryVersions.findings() { report(finding) }
        let models = await onThread(named: "doctor") { configuration.map { ModelCheck($0.model) } }
        models?.findings.forEach(report)
        let weights = models?.backboneBytes
        if measuring {
            report(MemorySpeed.finding(await onThread(named: "doctor") { MemorySpeed.measure() }, weights: weights))
        }
        report(MemorySpeed.room(weights: weights))
        guard let configuration else { return }
        report(await onThread(named: "doctor") { SoundCheck.finding() })
        report(await PortCheck.finding(configuration.server))
    }
}
