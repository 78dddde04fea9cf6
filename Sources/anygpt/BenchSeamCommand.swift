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
        commandName: "seam", abstract: "Measures the seams of music that is longer than a window.",
        discussion: """
            Composes pieces with the models of a configuration, and measures how much their log-mel spectrum changes at the \
            seams, beside how much it changes elsewhere: as the daemon does without a fade, where a window goes on behind the \
            last token of the one before; with a fade, where it makes the last frames anew and both versions are joined where \
            they lie nearest (music.fade_s); with windows that know nothing of each other, one behind the other; and with \
            the first one's windows decoded apart.
            """)

    @Option(help: ArgumentHelp("The configuration whose models are used.", valueName: "config.toml"))
    var config = "config.toml"

    @Option(help: "How long a piece is.")
    var seconds = 15.0

    @Option(help: "How many pieces, of seeds that follow one another.")
    var pieces = 1

    @Option(help: ArgumentHelp("How much of a window is made twice for the fade.", valueName: "seconds"))
    var fade = 0.5

    @Option(help: "Where the drawing of the first piece's tokens begins.")
    var seed: UInt64 = 1

    @Argument(help: "What a piece should be like.")
    var text = "a quiet piano"

    /// What a session told.
    private final class Record: Sendable {
        private let state = Mutex<[Int32]>([])
        var numbers: [Int32] { state.withLock { $0 } }
        func add(_ event: SessionEvent) {
            if case .answer(.musicCode(let number)) = event { state.withLock { $0.append(number) } }
        }
    }

    /// Music as codes `[level][frame]`, and the frames behind its seams.
    private struct Piece {
        var codes: [[Int32]]
        var seams: [Int]
    }

    func validate() throws {
        guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds takes 0.1 to 600.") }
        guard (1...1000).contains(pieces) else { throw ValidationError("--pieces takes 1 to 1000.") }
        guard (0.02...60).contains(fade) else { throw ValidationError("--fade takes 0.02 to 60.") }
    }

    func run() async throws {
        var configuration: Configuration
        let engine: Engine
        do {
            configuration = try Configuration.load(path: config)
            engine = try Engine(configuration)
        } catch { throw Refusal("\(error)") }
        guard let encodec = engine.encodec else { throw Refusal("\(MusicUnavailable())") }
        configuration.music.fade = 0
        let plain = configuration.musicRules(seconds: seconds, engine: engine)
        configuration.music.fade = fade
        let faded = configuration.musicRules(seconds: seconds, engine: engine)
        guard let window = plain.musicWindow, let fading = faded.musicWindow,
            plain.maximumMusicFrames > window.frames
        else { throw Refusal("\(seconds) s fit into one window: there is no seam (see [music] window_s)") }
        guard fading.fade > 0 else { throw Refusal("a window leaves no room for a fade (see [music] overlap_s)") }

        let (hop, rate) = (encodec.hop, encodec.configuration.sampleRate)
        var (behind, over, strange, apart) = (SeamStatistics(), SeamStatistics(), SeamStatistics(), SeamStatistics())
        for index in 0..<UInt64(pieces) {
            let piece = try await compose(engine, plain, seed: seed + index)
            behind.add(LogMel(try encodec.decode(piece.codes).values, sampleRate: rate, hop: hop), piece.seams)
            apart.add(LogMel(try Self.apart(piece, encodec), sampleRate: rate, hop: hop), piece.seams)
            let other = try await compose(engine, faded, seed: seed + index)
            over.add(LogMel(try encodec.decode(other.codes).values, sampleRate: rate, hop: hop), other.seams)
            let cut = try await strangers(engine, window, frames: plain.maximumMusicFrames, seed: seed + index)
            strange.add(LogMel(try encodec.decode(cut.codes).values, sampleRate: rate, hop: hop), cut.seams)
        }
        Terminal.say(
            "\(config): \(pieces) pieces of \(plain.maximumMusicFrames) frames, windows of \(window.frames), "
                + "\(window.overlap) shared, \(fading.fade) of them faded over, seeds from \(seed)")
        Terminal.say(SeamStatistics.title)
        for (name, statistics) in [
            ("goes on behind the last token", behind), ("faded over", over),
            ("windows that know nothing of each other", strange), ("the first, its windows decoded apart", apart),
        ] { Terminal.say(statistics.line(name)) }
    }

    /// A piece as the session makes it.
    private func compose(_ engine: Engine, _ rules: AnswerRules, seed: UInt64) async throws -> Piece {
        guard let layout = engine.music else { throw Refusal("\(MusicUnavailable())") }
        let record = Record()
        let session = try Session(engine, seed: seed) { record.add($0) }
        try await session.write(text, item: "piece")
        let outcome = try await session.answer(rules: rules, as: .music)
        return Piece(codes: layout.codes(record.numbers), seams: outcome.musicJoins)
    }

    /// Windows that were made each by itself, one behind the other, until there are so many frames.
    private func strangers(_ engine: Engine, _ window: MusicWindow, frames: Int, seed: UInt64) async throws -> Piece {
        var whole = Piece(codes: [], seams: [])
        var (made, number) = (0, UInt64(0))
        while made < frames {
            let count = min(window.frames, frames - made)
            let rules = AnswerRules.music(frames: count, atLeast: count)
            // Seeds that no other piece has.
            let part = try await compose(engine, rules, seed: (seed + 1) << 20 + number)
            whole.codes = whole.codes.isEmpty ? part.codes : zip(whole.codes, part.codes).map { $0 + $1 }
            if made > 0 { whole.seams.append(made) }
            (made, number) = (made + count, number + 1)
        }
        return whole
    }

    /// The sound of a piece whose windows' frames are decoded each by themselves.
    private static func apart(_ piece: Piece, _ encodec: EncodecModel) throws -> [Float] {
        let frames = piece.codes.first?.count ?? 0
        return try zip([0] + piece.seams, piece.seams + [frames]).flatMap { start, end in
            try encodec.decode(piece.codes.map { Array($0[start..<end]) }).values
        }
    }
}
