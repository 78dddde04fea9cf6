import Compute
import Images
import SEED
import UnCLIP

/// A picture that was made.
public struct Picture: Sendable, Equatable {
    /// Its pixels.
    public var image: RGBImage
    /// The tokens' numbers that it shows.
    public var codes: [Int32]
    /// What its random numbers came from.
    public var seed: UInt64
}

/// How pictures are drawn.
public struct PictureSettings: Sendable, Equatable {
    /// Steps of the scheduler.
    public var steps = 20
    /// How much the tokens are stressed.
    public var guidance: Float = 10
    /// The size; nil for the one that the network was trained at.
    public var size: PictureSize?

    /// What the reference does.
    public init() {}
}

/// The pictures of one conversation: tokens into pictures, and pictures that are shown to it into tokens. Runs on the
/// compute threads in pieces of some milliseconds, behind everything that somebody is waiting to hear.
actor Painter {
    private let lane: ComputeLane
    private let seed: SEEDModel
    private let unclip: UnCLIPModel?
    private let settings: PictureSettings
    private let turnstile: Turnstile
    private let sessionSeed: UInt64
    private var pictures: UInt64 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(_ engine: Engine, _ seed: SEEDModel, sessionSeed: UInt64) {
        lane = engine.pool.lane(.artifact)
        self.seed = seed
        unclip = engine.unclip
        settings = engine.settings.pictures
        turnstile = engine.pictureTurnstile
        self.sessionSeed = sessionSeed
    }

    /// The numbers of the tokens of a picture that is shown to the model.
    func look(at image: RGBImage) async throws -> [Int32] {
        let run = SEEDTokenizing(image, seed)
        while run.step() {
            try Task.checkCancellation()
            await Task.yield()
        }
        return run.ids
    }

    /// Draws the picture of an image's codes. A picture takes gigabytes while it is drawn, so one is drawn at a time, whoever
    /// asks for it.
    ///
    /// - Parameter tell: is told each step that is done.
    func paint(_ codes: [Int32], tell: @Sendable (_ step: Int, _ steps: Int) async -> Void) async throws -> Picture {
        guard let unclip else { throw PicturesUnavailable.drawing }
        try await turnstile.enter()
        defer { turnstile.leave() }
        let pictureSeed = sessionSeed &+ pictures
        pictures += 1
        let meaning = try SEEDDetokenizing(codes, seed.quantizer)
        while meaning.step() { await Task.yield() }
        let run = try unclip.makeRun(
            embedding: meaning.embedding, seed: pictureSeed, steps: settings.steps,
            guidance: settings.guidance, size: settings.size)
        var told = 0
        while run.advance() {
            try Task.checkCancellation()
            let progress = run.progress
            if progress.step > told {
                told = progress.step
                await tell(progress.step, progress.steps)
            } else {
                await Task.yield()
            }
        }
        await tell(run.progress.steps, run.progress.steps)
        let drawn = run.picture
        return Picture(
            image: RGBImage(width: drawn.size.width, height: drawn.size.height, bytes: drawn.pixels), codes: codes,
            seed: pictureSeed)
    }
}

/// Pictures were asked for, or shown, where no network for them is configured.
public enum PicturesUnavailable: Error, Equatable, CustomStringConvertible {
    /// One was shown.
    case seeing
    /// One was asked for.
    case drawing

    /// One line for a person, with what to do next.
    public var description: String {
        switch self {
        case .seeing: "this daemon sees no pictures: its configuration names no SEED tokenizer ([model] seed)"
        case .drawing: "this daemon draws no pictures: its configuration names no unCLIP pipeline ([model] unclip)"
        }
    }
}
