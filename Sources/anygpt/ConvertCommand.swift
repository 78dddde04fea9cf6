import ArgumentParser
import CheckpointTools
import Foundation
import Llama
import Tokenizers

/// `anygpt convert FOLDER --precision int8 -o OUT`: a backbone in a smaller precision.
struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Brings a backbone's weights to a smaller precision.",
        discussion: """
            Reads a Hugging Face folder of a LLaMA (safetensors or .bin) and writes another that the daemon maps \
            as it is: bf16 takes 16 bits a weight, int8 8.5, int4 4.5 (embeddings and output 8.5). Then both are run on \
            the same text, and the distance of their predictions is printed.

            A run that was interrupted goes on when it is started again. The folder has no usable weights before it is whole.
            """)

    @Argument(help: ArgumentHelp("The folder of the backbone, with config.json.", valueName: "folder"))
    var folder: String

    @Option(help: "bf16, int8 or int4.")
    var precision: Precision

    @Option(name: [.short, .long], help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("The largest file to write, in megabytes.", valueName: "megabytes"))
    var shard = 4096

    @Option(help: ArgumentHelp("Tokens to compare both models on; 0 for none.", valueName: "tokens"))
    var compare = 192

    func validate() throws {
        guard shard >= 1 else { throw ValidationError("--shard takes 1 or more megabytes.") }
        guard (0...100_000).contains(compare) else { throw ValidationError("--compare takes 0 to 100000 tokens.") }
    }

    func run() async throws {
        let (source, target) = (URL(filePath: folder), URL(filePath: out))
        let (precision, shardBytes, tokens) = (precision, shard * 1_000_000, compare)
        do {
            let summary = try await LongJob.run("reading \(folder)") { report in
                let conversion = try Conversion(from: source, to: target, precision: precision, shardBytes: shardBytes)
                return try conversion.run { try report($0.file, $0.done, $0.total) }
            }
            let kept = summary.kept > 0 ? ", \(summary.kept) of them were there already" : ""
            Terminal.say(
                "\(out): \(precision.rawValue), \(Size.text(summary.bytes)) in \(summary.files) "
                    + "\(summary.files == 1 ? "file" : "files")\(kept); the source has \(Size.text(summary.sourceBytes))"
            )
            guard tokens > 0 else { return }
            let distance = try await LongJob.run("comparing", counting: .tokens) { report in
                let (before, after) = (try LlamaModel(folder: source), try LlamaModel(folder: target))
                let ids = try ComparisonText.ids(for: before, folder: source, count: tokens)
                return try Distance.between(before, after, on: ids) { try report("comparing", $0, ids.count) }
            }
            Terminal.say(
                String(
                    format: "distance to the source on %d tokens: mean KL %.2g nats a token, largest %.2g, "
                        + "the same likeliest token at %.1f %%",
                    distance.tokens, distance.meanKL, distance.largestKL, distance.sameChoice * 100))
        } catch let error as ExitCode {
            throw error
        } catch {
            Terminal.complain("anygpt convert: \(error)")
            throw ExitCode(1)
        }
    }
}

extension Precision: ExpressibleByArgument {}
