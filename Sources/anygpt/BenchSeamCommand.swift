import AnyGPT
import ArgumentParser
import Encodec
import Foundation
import Server
import Synchronization
import Tensors

/// `anygpt bench seam`: whether the places can be heard at which a long piece goes on from one window to the next.
struct BenchSeamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seam", abstract: "Measures the seams of a piece of music that is longer than a window.",
        discussion: """
            Composes a piece with the models of a configuration, and measures how much its log-mel spectrum changes at \
            each seam, beside how much it changes elsewhere, and beside the same tokens decoded window by window.
            """)

    @Option(help: ArgumentHelp("The configuration whose models are used.", valueName: "config.toml"))
    var config = "config.toml"

    @Option(help: "How long the piece is.")
    var seconds = 15.0

    @Option(help: "Where the drawing of tokens begins.")
    var seed: UInt64 = 1

    @Argument(help: "What the piece should be like.")
    var text = "a quiet piano"

    /// What a session told.
    private final class Record: Sendable {
        private let state = Mutex<(samples: [Float], numbers: [Int32])>(([], []))
        var samples: [Float] { state.withLock { $0.samples } }
        var numbers: [Int32] { state.withLock { $0.numbers } }
        func add(_ event: SessionEvent) {
            switch event {
            case .music(let samples): state.withLock { $0.samples += samples }
            case .answer(.musicCode(let number)): state.withLock { $0.numbers.append(number) }
            default: break
            }
        }
    }

    func run() async throws {
        let configuration: Configuration
        let engine: Engine
        do {
            configuration = try Configuration.load(path: config)
            engine = try Engine(configuration)
        } catch { throw Refusal("\(error)") }
        guard let encodec = engine.encodec, let layout = engine.music else { throw Refusal("\(MusicUnavailable())") }
        guard (0.1...600).contains(seconds) else { throw Refusal("--seconds takes 0.1 to 600") }
        let rules = configuration.musicRules(seconds: seconds, engine: engine)
        guard let window = rules.musicWindow, rules.maximumMusicFrames > window.frames else {
            throw Refusal("\(seconds) s fit into one window: there is no seam (see [music] window_s)")
        }
        let record = Record()
        let session = try Session(engine, seed: seed) { record.add($0) }
        try await session.write(text, item: "piece")
        _ = try await session.answer(rules: rules, as: .music)

        let codes = layout.codes(record.numbers)
        let frames = codes.first?.count ?? 0
        // The first window is whole, each later one adds what it does not share.
        let seams = Array(stride(from: window.frames, to: frames, by: window.frames - window.overlap))
        var apart: [Float] = []
        for (start, end) in zip([0] + seams, seams + [frames]) {
            apart += try encodec.decode(codes.map { Array($0[start..<end]) }).values
        }
        Terminal.say("\(config): \(frames) frames, windows of \(window.frames), \(window.overlap) shared, seed \(seed)")
        Terminal.say("change of the log-mel spectrum, in dB        at the seams   median elsewhere   95 % elsewhere")
        for (name, samples) in [("as it is made", record.samples), ("its windows decoded apart", apart)] {
            Terminal.say(
                Self.line(name, samples, seams, sampleRate: encodec.configuration.sampleRate, hop: encodec.hop))
        }
    }

    /// The largest change from a frame to the next within two frames of each seam, and of every other place.
    private static func line(_ name: String, _ samples: [Float], _ seams: [Int], sampleRate: Int, hop: Int) -> String {
        let mel = LogMel(samples, sampleRate: sampleRate, hop: hop)
        let changes = [0] + (1..<max(1, mel.frames.count)).map { mel.distance($0 - 1, $0) }
        func change(around frame: Int) -> Float {
            changes[max(0, frame - 2)...min(changes.count - 1, frame + 2)].max() ?? 0
        }
        let elsewhere = changes.indices.filter { frame in
            frame > 5 && frame < changes.count - 5 && !seams.contains { abs($0 - frame) < 10 }
        }.map(change).sorted()
        let at = seams.filter { $0 < changes.count }.map(change)
        guard !elsewhere.isEmpty, !at.isEmpty else { return "\(name): too short to tell" }
        let mean = at.reduce(0, +) / Float(at.count)
        return String(
            format: "%@ %12.2f %18.2f %16.2f", name.padding(toLength: 44, withPad: " ", startingAt: 0), mean,
            elsewhere[elsewhere.count / 2], elsewhere[elsewhere.count * 95 / 100])
    }
}
