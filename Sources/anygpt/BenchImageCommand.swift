import ArgumentParser
import Checkpoints
import Compute
import Foundation
import SEED
import Tensors
import UnCLIP

/// `anygpt bench image`: a call of unCLIP's UNet, the decoding of a picture, and how SEED sees one; `Benchmarks/unclip.py`
/// and `Benchmarks/seed.py` measure the same in PyTorch.
struct BenchImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract:
            "Measures unCLIP, one call of the UNet and decoding one picture, and SEED's vision transformer.",
        discussion: """
            The networks of unCLIP have the official shape and random weights, made in memory, which are as fast as trained \
            ones: the UNet takes about 7 GB. Benchmarks/unclip.py measures PyTorch on the same. SEED's weights stay in \
            their file: Benchmarks/seed.py --make FILE writes one of the official shape with random weights, and without \
            --make measures PyTorch on it.
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable { case unet, vae, both, vision }

    @Option(help: "What to measure: unet, vae, both of these, or vision.")
    var part = Part.both

    @Option(
        help: ArgumentHelp("The eva_vit_g.pth of a SEED, for the part vision.", valueName: "file"))
    var vision: String?

    @Option(help: "Latents along one side: an eighth of the picture's pixels.")
    var latents = 96

    @Option(help: "Pictures in a call of the UNet: two, for guidance.")
    var batch = 2

    @Option(help: "Threads; 0 takes one for each core.")
    var threads = 0

    @Option(help: "Runs of each; the fastest counts.")
    var runs = 2

    func validate() throws {
        guard (part == .vision) == (vision != nil) else {
            throw ValidationError("--vision FILE and --part vision go together.")
        }
        guard (1...256).contains(latents) else { throw ValidationError("--latents takes 1 to 256.") }
        guard (1...2).contains(batch) else { throw ValidationError("--batch takes 1 or 2.") }
        guard (0...1024).contains(threads) else { throw ValidationError("--threads takes 0 to 1024.") }
        guard (1...1000).contains(runs) else { throw ValidationError("--runs takes 1 to 1000.") }
    }

    func run() async throws {
        ComputePool.sizeShared(threads: threads)
        let (part, vision, latents, batch, runs) = (part, vision, latents, batch, runs)
        let lines = try await onThread(named: "bench") {
            Result {
                try vision.map { try Self.measure(vision: URL(filePath: $0), runs: runs) }
                    ?? Self.measure(part, latents: latents, batch: batch, runs: runs)
            }
        }.get()
        Terminal.say("\(ComputePool.shared.threadCount) threads, \(kernels.instructionSet)")
        for line in lines { Terminal.say(line) }
    }

    private static func measure(vision file: URL, runs: Int) throws -> [String] {
        let vision: VisionTransformer
        do {
            let configuration = try SEEDConfiguration(folder: file.deletingLastPathComponent())
            vision = try VisionTransformer(.open(file), configuration)
        } catch {
            throw Refusal("\(error)")
        }
        let measurement = VisionMeasurement(vision)
        return [
            line("seeing \(vision.side) × \(vision.side)", runs, bytes: measurement.bytes) {
                ("", measurement())
            }
        ]
    }

    private static func measure(_ part: Part, latents: Int, batch: Int, runs: Int) throws -> [String] {
        var lines: [String] = []
        if part != .vae {
            let configuration = UNetConfiguration()
            let text = try RandomParameters(seed: 1).tensor(
                "states", [77, configuration.crossAttentionSize])
            let unet = try UNet(RandomParameters(seed: 2), configuration, text: text)
            let measurement = PlanMeasurement(unet, images: batch, height: latents, width: latents)
            lines.append(
                line("UNet, \(latents) × \(latents), batch \(batch)", runs, bytes: measurement.bytes) {
                    measurement()
                })
        }
        if part != .unet {
            let vae = try VAEDecoder(RandomParameters(seed: 3), VAEConfiguration())
            let side = latents * vae.configuration.scale
            let measurement = PlanMeasurement(vae, height: latents, width: latents)
            lines.append(
                line("VAE, to \(side) × \(side)", runs, bytes: measurement.bytes) { measurement() })
        }
        return lines
    }

    /// Measures a body that returns its longest piece and what that belongs to.
    private static func line(
        _ name: String, _ runs: Int, bytes: Int, _ body: () -> (module: String, piece: Duration)
    ) -> String {
        var (best, cpu, longest, module) = (Double.infinity, Double.infinity, Double.infinity, "")
        for _ in 0..<runs {
            let (start, used) = (ContinuousClock.now, processorSeconds())
            let result = body()
            best = min(best, (ContinuousClock.now - start) / .seconds(1))
            cpu = min(cpu, processorSeconds() - used)
            let piece = result.piece / .milliseconds(1)
            if piece < longest { (longest, module) = (piece, result.module) }
        }
        return String(
            format: "%@ %8.2f s  processor %8.2f s  longest piece %6.1f ms  memory %5.2f GB",
            name.padding(toLength: 30, withPad: " ", startingAt: 0), best, cpu, longest,
            Double(bytes) / 1e9) + (module.isEmpty ? "" : "  (\(module))")
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
