import Compute
import Foundation
import SoundStorm
import TestSupport
import Testing

/// Measures rather than checks: run with SOUNDSTORM_TIMES=1, in release.
@Suite(
    "How long a chunk takes", .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["SOUNDSTORM_TIMES"] != nil))
struct TimingTests {
    static let networks = [
        RandomNetwork(
            dim: 160, depth: 4, heads: 5, headSize: 32, feedForward: 640, channels: 320, taps: 31, levels: 7,
            codes: 1024, semanticCodes: 1024),
        RandomNetwork(
            dim: 160, depth: 4, heads: 2, headSize: 128, feedForward: 640, channels: 320, taps: 31, levels: 7,
            codes: 1024, semanticCodes: 1024),
        RandomNetwork(
            dim: 1024, depth: 12, heads: 8, headSize: 128, feedForward: 4096, channels: 2048, taps: 31, levels: 7,
            codes: 1024, semanticCodes: 1024),
    ]

    /// What all threads have used: tells more than the clock on a busy machine.
    private static var processorSeconds: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

    @Test("with 150 frames of a voice", arguments: networks.indices)
    func chunk(index: Int) throws {
        let network = Self.networks[index]
        let clock = ContinuousClock()
        let file = FileManager.default.temporaryDirectory.appending(path: "soundstorm-times.safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        try network.write(to: file, seed: 1)
        var model: SoundStormModel?
        let loading = try clock.measure {
            model = try SoundStormModel(contentsOf: file, described: network.description)
        }
        print(
            "\(network.dim)/\(network.depth)/\(network.heads)·\(network.headSize), "
                + "\(ComputePool.shared.threadCount) threads: loaded in \(loading)")
        guard let model else { return }
        for (frames, steps) in [(25, 1), (50, 1), (25, 3), (50, 3)] {
            let (semantic, voice) = GenerationTests.input(network, (frames, 150), seed: 1)
            var (best, least) = (Duration.seconds(1_000), Double.infinity)
            for _ in 0..<(index == 2 ? 1 : 7) {
                let run = try GenerationRun(
                    model, semantic: semantic, prompt: voice, options: GenerationOptions(steps: steps))
                let before = Self.processorSeconds
                best = min(best, clock.measure { while run.step() {} })
                least = min(least, Self.processorSeconds - before)
            }
            print(
                "  \(frames) new frames, \(steps) steps, \(steps + 7) passes: "
                    + "\(best), processor time \(Int(least * 1000)) ms")
        }
    }
}
