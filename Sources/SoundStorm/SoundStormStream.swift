/// How a stream of semantic ids is cut into generations.
public struct StreamingOptions: Sendable, Equatable {
    /// New frames of each chunk in turn; the last number holds for all further ones. A short first chunk is heard soon,
    /// longer ones cost less for each frame.
    public var chunkFrames: [Int]
    /// Frames that were emitted last and stand behind the voice prompt, so that a chunk goes on where the last ended.
    public var contextFrames: Int
    /// Frames beyond a chunk that are generated with it and thrown away, so that its end knows what follows. A chunk
    /// waits for them.
    public var lookaheadFrames: Int
    /// How each chunk is generated.
    public var generation: GenerationOptions

    /// Half a second first, then a second at a time, each as a continuation of the last second.
    public init(
        chunkFrames: [Int] = [25, 50], contextFrames: Int = 50, lookaheadFrames: Int = 0,
        generation: GenerationOptions = GenerationOptions(steps: 1)
    ) {
        self.chunkFrames = chunkFrames
        self.contextFrames = contextFrames
        self.lookaheadFrames = lookaheadFrames
        self.generation = generation
    }

    /// Frames above which a size means a mistake: ten minutes.
    static let mostFrames = 30_000

    func validate() throws(SoundStormError) {
        try generation.validate()
        let sizes = 1...Self.mostFrames
        guard !chunkFrames.isEmpty, chunkFrames.allSatisfy({ sizes ~= $0 }) else {
            throw SoundStormError("stream", "speech", "chunks of \(chunkFrames) frames, allowed are \(sizes)")
        }
        guard 0...Self.mostFrames ~= contextFrames, 0...Self.mostFrames ~= lookaheadFrames else {
            throw SoundStormError(
                "stream", "speech",
                "\(contextFrames) frames of context and \(lookaheadFrames) of lookahead, "
                    + "allowed are 0...\(Self.mostFrames)")
        }
    }
}

/// The streaming voice: semantic ids in as they come, codes out chunk by chunk, a forward pass at a time.
///
///     try stream.feed(tokens)
///     while stream.hasWork {
///         if let codes = try stream.step() { play(codes) }
///         await Task.yield()
///     }
///
/// Where chunks are cut depends on the ids' places alone, never on how they were fed or when `step` was called: equal
/// ids give equal codes. What waits is bounded by who feeds: the ids of one reply.
public final class SoundStormStream {
    private let model: SoundStormModel
    private let voice: TokenGrid
    private let options: StreamingOptions
    private let noise: any NoiseSource
    /// Ids that no chunk has emitted yet.
    private var waiting: [Int] = []
    private var isFinished = false
    private var chunksDone = 0
    private var noiseCalls = 0
    /// The frames that were emitted last.
    private var context: TokenGrid
    private var chunk: Chunk?
    private var space: Workspace?

    private struct Chunk {
        let run: GenerationRun
        /// Frames that will be emitted: the rest is lookahead.
        let frames: Int
    }

    /// A stream in a voice; without one, the network makes one up and the context carries it on.
    ///
    /// - Throws: `SoundStormError` for a prompt that is not `[frames, levels + 1]` codes, and for sizes that make no
    ///   sense.
    public init(
        _ model: SoundStormModel, voice: TokenGrid? = nil, options: StreamingOptions = StreamingOptions(),
        noise: any NoiseSource = SeededNoise(seed: 0)
    ) throws(SoundStormError) {
        try options.validate()
        if let voice { try model.require(voice: voice) }
        self.model = model
        self.options = options
        self.noise = noise
        self.voice = voice ?? TokenGrid(levels: model.configuration.levels + 1)
        context = TokenGrid(levels: model.configuration.levels + 1)
    }

    /// Takes the next semantic ids. Throws `SoundStormError`, and takes none, when one is out of range.
    public func feed(_ semantic: [Int]) throws(SoundStormError) {
        precondition(!isFinished, "semantic ids after the end of the stream")
        try model.require(semantic: semantic)
        waiting += semantic
    }

    /// Says that no more ids will come: what is left becomes chunks too.
    public func finish() { isFinished = true }

    /// Whether `step` has something to do now.
    public var hasWork: Bool { chunk != nil || nextChunk != nil }

    /// Whether everything was emitted and nothing will come.
    public var isDone: Bool { isFinished && waiting.isEmpty }

    /// Ids that were fed and whose codes were not emitted yet.
    public var framesWaiting: Int { waiting.count }

    /// Makes at most one forward pass. Returns codes `[frames, levels + 1]` when that completes a chunk.
    ///
    /// - Throws: `SoundStormError` when the noise does not reach.
    public func step() throws(SoundStormError) -> TokenGrid? {
        if chunk == nil { chunk = try startChunk() }
        guard let current = chunk else { return nil }
        if current.run.step() { return nil }
        chunk = nil
        chunksDone += 1
        noiseCalls = current.run.noiseCalls
        waiting.removeFirst(current.frames)
        let codes = current.run.result[frames: 0..<current.frames]
        context.append(codes)
        context = context.suffix(options.contextFrames)
        return codes
    }

    /// Frames of the next chunk and behind it, once enough is known.
    private var nextChunk: (frames: Int, lookahead: Int)? {
        let frames = options.chunkFrames[min(chunksDone, options.chunkFrames.count - 1)]
        if waiting.count >= frames + options.lookaheadFrames { return (frames, options.lookaheadFrames) }
        guard isFinished, !waiting.isEmpty else { return nil }
        let last = min(frames, waiting.count)
        return (last, min(options.lookaheadFrames, waiting.count - last))
    }

    private func startChunk() throws(SoundStormError) -> Chunk? {
        guard let (frames, lookahead) = nextChunk else { return nil }
        var prompt = voice
        prompt.append(context)
        let run = try GenerationRun(
            model, semantic: Array(waiting.prefix(frames + lookahead)), prompt: prompt, options: options.generation,
            noise: noise, firstCall: noiseCalls, space: workspace(frames: prompt.frames + frames + lookahead))
        return Chunk(run: run, frames: frames)
    }

    /// Memory for this many frames: that of the chunk before, unless it is too small.
    private func workspace(frames: Int) -> Workspace {
        if let space, space.capacity >= frames { return space }
        let larger = Workspace(model.configuration, frames: frames)
        space = larger
        return larger
    }
}
