import ArgumentParser
import Compute
import Foundation
import Tensors
import UnCLIP

/// `anygpt bench image`: a call of unCLIP's UNet and the decoding of a picture; `Benchmarks/unclip.py` measures the same in
/// PyTorch.
struct BenchImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Measures unCLIP: one call of the UNet, and decoding one picture.",
        discussion: """
            The networks have the official shape and random weights, made in memory, which are as fast as trained ones: \
            the UNet takes about 7 GB. Benchmarks/unclip.py measures PyTorch on the same.
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable { case unet, vae, both }

    @Option(help: "What to measure: unet, vae or both.")
    var part = Part.both

    @Option(help: "Latents along one side: an eighth of the picture's pixels.")
    var latents = 96

    @Option(help: "Pictures in a call of the UNet: two, for guidance.")
    var batch = 2

    @Option(help: "Threads; 0 takes one for each core.")
    var threads = 0

    @Option(help: "Runs of each; the fastest counts.")
    var runs = 2

    func validate() throws {
        guard (1...256).contains(latents) else { throw ValidationError("--latents takes 1 to 256.") }
        guard (1...2).contains(batch) else { throw ValidationError("--batch takes 1 or 2.") }
        guard (0...1024).contains(threads) else { throw ValidationError("--threads takes 0 to 1024.") }
        guard (1...1000).contains(runs) else { throw ValidationError("--runs takes 1 to 1000.") }
    }

    func run() async throws {
        ComputePool.sizeShared(threads: threads)
        let (part, latents, batch, runs) = (part, latents, batch, runs)
        let lines = try await onThread(named: "bench") {
            Result { try Self.measure(part, latents: latents, batch: batch, runs: runs) }
        }.get()
        for line in lines { print(line) }
    }

    private static func measure(_ part: Part, latents: Int, batch: Int, runs: Int) throws -> [String] {
        var lines = ["\(ComputePool.shared.threadCount) threads, \(kernels.instructionSet)"]
        if part != .vae {
            let configuration = UNetConfiguration()
            let text = try RandomParameters(seed: 1).tensor("states", [77, configuration.crossAttentionSize])
            let unet = try UNet(RandomParameters(seed: 2), configuration, text: text)
            lines.append(
                line(
                    "UNet, \(latents) × \(latents), batch \(batch)", runs,
                    PlanMeasurement(unet, images: batch, height: latents, width: latents)))
        }
        if part != .unet {
            let vae = try VAEDecoder(RandomParameters(seed: 3), VAEConfiguration())
            let side = latents * vae.configuration.scale
            lines.append(
                line("VAE, to \(side) × \(side)", runs, PlanMeasurement(vae, height: latents, width: latents)))
        }
        return lines
    }

    private static func line(_ name: String, _ runs: Int, _ measurement: PlanMeasurement) -> String {
        var (best, cpu, longest) = (Double.infinity, Double.infinity, Double.infinity)
        for _ in 0..<runs {
            let (start, used) = (ContinuousClock.now, processorSeconds())
            let piece = measurement()
            best = min(best, (ContinuousClock.now - start) / .seconds(1))
            cpu = min(cpu, processorSeconds() - used)
            longest = min(longest, piece / .milliseconds(1))
        }
        return String(
            format: "%@ %8.2f s  processor %8.2f s  longest piece %6.1f ms  memory %5.2f GB",
            name.padding(toLength: 30, withPad: " ", startingAt: 0), best, cpu, longest,
            Double(measurement.bytes) / 1e9)
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
