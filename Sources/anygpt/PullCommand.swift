import ArgumentParser
import CheckpointTools
import Foundation

/// `anygpt pull REPO`: a model's files from a Hugging Face hub.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetches a model from a Hugging Face hub.",
        discussion: """
            Fetches configuration, tokenizer and weights (safetensors where the repository has both kinds), and checks \
            their digests. What is there already is kept; what was interrupted goes on when the command is run again.

            The environment's HF_ENDPOINT names another hub than https://huggingface.co; HF_TOKEN is shown to it.
            """)

    @Argument(help: ArgumentHelp("OWNER/NAME, such as fnlp/AnyGPT-chat.", valueName: "repo"))
    var repository: String

    @Option(help: ArgumentHelp("A branch, a tag or a commit.", valueName: "revision"))
    var revision = "main"

    @Option(help: ArgumentHelp("The folder to put the files in. Default: Models/NAME.", valueName: "folder"))
    var to: String?

    @Flag(help: "Lists what would be fetched, and fetches nothing.")
    var dryRun = false

    func run() async throws {
        let name = repository.split(separator: "/").last.map(String.init) ?? repository
        let folder = to ?? "Models/\(name)"
        let (repository, revision, dryRun) = (repository, revision, dryRun)
        do {
            try await LongJob.run("asking for \(repository)") { report in
                let pull = try Pull(repository, revision: revision, from: .init(), to: URL(filePath: folder))
                if dryRun {
                    let plan = try pull.plan { try report("asking", 0, 0) }
                    for (file, bytes) in plan.files { Terminal.say("\(file)  \(Size.text(bytes))") }
                    let total = Size.text(plan.files.reduce(0) { $0 + $1.1 })
                    Terminal.say("\(plan.files.count) files, \(total), commit \(plan.commit)")
                    return
                }
                let summary = try pull.run { try report($0.file, $0.done, $0.total) }
                let kept = summary.kept > 0 ? ", \(summary.kept) of them were there already" : ""
                Terminal.say(
                    "\(folder): \(summary.files) files, \(Size.text(summary.bytes))\(kept); commit \(summary.commit)")
            }
        } catch let error as ExitCode {
            throw error
        } catch {
            Terminal.complain("anygpt pull: \(error)")
            throw ExitCode(1)
        }
    }
}
