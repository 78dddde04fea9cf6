import ArgumentParser
import Audio
import Compute
import Encodec
import Foundation
import Tensors

/// `anygpt bench music FOLDER`: Encodec's encoding and decoding; `Benchmarks/encodec.py` measures the same in PyTorch.
struct BenchMusicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "music", abstract: "Measures Encodec: encoding and decoding a few seconds.",
        discussion: """
            Random weights are as fast as trained ones: Benchmarks/encodec.py --make FOLDER writes a full-size Encodec \
            with random weights, and without --make measures PyTorch on it.

            The last line is what remains when the last token of a piece is drawn: the frames that are not decoded yet, the \
            end of the stream, and the end of the FLAC file, all else of which was written before.
            """)

    @Argument(help: ArgumentHelp("The folder of an Encodec.", valueName: "folder"))
    var folder: String

    @Option(help: "Seconds of sound.")
    var seconds = 5.0

    @Option(help: "Threads; 0 takes one for each core.")
    var threads = 0

    @Option(help: "Runs of each; the fastest counts.")
    var runs = 5

    /// Frames that the daemon decodes at a time.
    private static let piece = 9

    func validate() throws {
        guard (0.02...600).contains(seconds) else { throw ValidationError("--seconds takes 0.02 to 600.") }
        guard (0...1024).contains(threads) else { throw ValidationError("--threads takes 0 to 1024.") }
        guard (1...1000).contains(runs) else { throw ValidationError("--runs takes 1 to 1000.") }
    }

    func run() async throws {
        ComputePool.sizeShared(threads: threads)
        let (folder, seconds, runs) = (URL(filePath: folder), seconds, runs)
        let lines = try await onThread(named: "bench") {
            Result { try Self.measure(folder, seconds: seconds, runs: runs) }
        }.get()
        for line in lines { Terminal.say(line) }
    }

    private static func measure(_ folder: URL, seconds: Double, runs: Int) throws -> [String] {
        let model: EncodecModel
        do { model = try EncodecModel(folder: folder) } catch { throw Refusal("\(error)") }
        guard model.configuration.audioChannels == 1 else {
            throw Refusal("\(folder.path) is an Encodec for stereo")
        }
        let count = Int(seconds * Double(model.configuration.sampleRate))
        // A few tones and some noise: silence would make numbers that processors are slow with.
        var generator = SystemRandomNumberGenerator()
        let sound = (0..<count).map { index in
            let time = Float(index) / Float(model.configuration.sampleRate)
            return 0.2 * sinf(2 * .pi * 440 * time) + 0.1 * sinf(2 * .pi * 659 * time)
                + 0.02 * Float.random(in: -1...1, using: &generator)
        }
        let frames = (count + model.hop - 1) / model.hop
        let codes = (0..<model.encodedLevels).map { _ in
            (0..<frames).map { _ in Int32.random(in: 0..<Int32(model.configuration.codebookSize), using: &generator) }
        }
        let threads = ComputePool.shared.threadCount
        var lines = [
            "\(folder.path): \(seconds) s at \(model.configuration.sampleRate) Hz, \(threads) threads, \(kernels.instructionSet)"
        ]
        lines.append(line("encode", runs, seconds) { _ = model.encode(sound) })
        lines.append(try line("decode", runs, seconds) { _ = try model.decode(codes) })
        lines.append(
            try line("decode, streamed by \(piece) frames", runs, seconds) {
                var stream = model.makeDecoder()
                for start in stride(from: 0, to: frames, by: piece) {
                    _ = try stream.append(codes.map { Array($0[start..<min(frames, start + piece)]) })
                }
                _ = stream.finish()
            })
        lines.append(try remainder(model, codes, runs))
        return lines
    }

    /// From the last token to the end of the file, as the daemon makes it: the fastest of so many runs.
    private static func remainder(_ model: EncodecModel, _ codes: [[Int32]], _ runs: Int) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "anygpt-bench-\(UUID().uuidString).flac")
        defer { try? FileManager.default.removeItem(at: file) }
        let clock = ContinuousClock()
        let frames = codes[0].count
        // What has not filled a piece when the last frame comes.
        let open = (frames - 1) % piece + 1
        var best = Double.infinity
        for _ in 0...runs {
            var stream = model.makeDecoder()
            let writer = try AudioFileWriter(file.path, sampleRate: model.configuration.sampleRate, format: .flac)
            for start in stride(from: 0, to: frames - open, by: piece) {
                try writer.write(stream.append(codes.map { Array($0[start..<start + piece]) }))
            }
            let start = clock.now
            try writer.write(stream.append(codes.map { Array($0[(frames - open)...]) }))
            try writer.write(stream.finish())
            try writer.close()
            best = min(best, (clock.now - start) / .milliseconds(1))
        }
        return String(
            format: "%@ %8.1f ms", "last token to the file's end".padding(toLength: 30, withPad: " ", startingAt: 0),
            best)
    }

    private static func line(_ name: String, _ runs: Int, _ seconds: Double, _ body: () throws -> Void) rethrows
        -> String
    {
        let clock = ContinuousClock()
        try body()
        var (best, cpu) = (Double.infinity, Double.infinity)
        for _ in 0..<runs {
            let (start, used) = (clock.now, processorSeconds())
            try body()
            best = min(best, (clock.now - start) / .seconds(1))
            cpu = min(cpu, processorSeconds() - used)
        }
        return String(
            format: "%@ %8.1f ms  processor %8.1f ms  %6.1f times real time",
            name.padding(toLength: 30, withPad: " ", startingAt: 0), best * 1000, cpu * 1000, seconds / best)
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
