import Tensors

/// A generation that can be put aside between its forward passes:
///
///     let run = try GenerationRun(model, semantic: tokens, prompt: voice)
///     while run.step() { await Task.yield() }
///     let codes = run.result
///
/// The algorithm is the reference's, with all that is odd in it. The first acoustic level takes steps + 1 passes: each
/// draws every open position; then, among *all* positions of all levels and frames (settled ones and the prompt's too),
/// as many as the schedule says are ranked least certain, and those of them that are at the first level of new frames
/// are opened again. Levels above stay open until the schedule reaches 0. Each of them then takes one greedy pass, which
/// overwrites it *and all above it* in every frame, the prompt's included.
///
/// Passes compute no logits that nobody looks at; that changes no bit of the others.
public final class GenerationRun {
    /// The passes of the whole run.
    public let passCount: Int
    /// The passes that are done.
    public private(set) var passesDone = 0
    /// The noise calls that were counted, whether or not they could matter.
    public private(set) var noiseCalls: Int
    /// Is given the grid that each pass starts from: acoustic ids `[prompt and new frames, levels]`.
    public var onPass: ((TokenGrid) -> Void)?

    private let model: SoundStormModel
    private let options: GenerationOptions
    private let noise: any NoiseSource
    private let space: Workspace
    private let rotary: RotaryTable
    private let condition: [Int]
    private let promptFrames: Int
    private let openCounts: [Int]
    /// Acoustic ids of all frames.
    private var grid: TokenGrid
    /// The positions that the next pass of the first level settles.
    private var open: [Bool]
    /// What a pass draws, and how uncertain it is of that: for each position that was looked at.
    private var drawn: [Int]
    private var scores: [Float]

    /// Makes ready to voice `semantic`, the semantic ids of the new frames.
    ///
    /// - Parameters:
    ///   - prompt: codes `[frames, levels + 1]` of the voice, level 0 semantic; they stand before the new frames.
    ///   - noise: where random numbers come from.
    /// - Throws: `SoundStormError` for an id out of range, a prompt of another width, steps outside 1...1024, and noise
    ///   that does not reach.
    public convenience init(
        _ model: SoundStormModel, semantic: [Int], prompt: TokenGrid? = nil,
        options: GenerationOptions = GenerationOptions(), noise: any NoiseSource = SeededNoise(seed: 0)
    ) throws(SoundStormError) {
        let frames = semantic.count + (prompt?.frames ?? 0)
        try self.init(
            model, semantic: semantic, prompt: prompt, options: options, noise: noise, firstCall: 0,
            space: Workspace(model.configuration, frames: frames))
    }

    /// As above, in memory that is there already, with noise calls counted from `firstCall`.
    init(
        _ model: SoundStormModel, semantic: [Int], prompt: TokenGrid?, options: GenerationOptions,
        noise: any NoiseSource, firstCall: Int, space: Workspace
    ) throws(SoundStormError) {
        let configuration = model.configuration
        let (levels, codes) = (configuration.levels, configuration.codes)
        try options.validate()
        try model.require(semantic: semantic)
        if let prompt { try model.require(voice: prompt) }
        let promptFrames = prompt?.frames ?? 0
        let frames = promptFrames + semantic.count
        try noise.require(positions: frames * levels, codes: codes)

        self.model = model
        self.options = options
        self.noise = noise
        self.space = space
        self.promptFrames = promptFrames
        noiseCalls = firstCall
        passCount = semantic.isEmpty ? 0 : options.steps + levels
        rotary = RotaryTable(frames: frames, headSize: configuration.headSize)
        openCounts = GenerationSchedule.openCounts(frames: frames, steps: options.steps)
        condition = (0..<promptFrames).map { prompt?[$0, 0] ?? 0 } + semantic
        grid = TokenGrid(frames: frames, levels: levels, repeating: configuration.maskID)
        if let prompt {
            for frame in 0..<promptFrames {
                for level in 0..<levels { grid[frame, level] = prompt[frame, level + 1] }
            }
        }
        open = (0..<frames * levels).map { $0 >= promptFrames * levels }
        drawn = Array(repeating: 0, count: frames * levels)
        scores = Array(repeating: 0, count: frames * levels)
    }

    /// Whether all passes are done.
    public var isDone: Bool { passesDone == passCount }

    /// Makes one forward pass, if one is left. Returns whether more are.
    @discardableResult
    public func step() -> Bool {
        guard !isDone else { return false }
        onPass?(grid)
        space.prepare(frames: condition.count)
        model.run(grid.values, condition, rotary, space)
        if passesDone <= options.steps {
            refineFirstLevel(iteration: passesDone)
        } else {
            fill(fromLevel: passesDone - options.steps)
        }
        passesDone += 1
        return !isDone
    }

    /// Codes of the new frames, `[frames, levels + 1]`, level 0 the semantic ids; only when the run is done.
    public var result: TokenGrid {
        precondition(isDone, "the result of a run after \(passesDone) of \(passCount) passes")
        var values: [Int] = []
        for frame in promptFrames..<condition.count {
            values.append(condition[frame])
            values += (0..<grid.levels).map { grid[frame, $0] }
        }
        return TokenGrid(levels: grid.levels + 1, values: values)
    }

    private var newFrames: Range<Int> { promptFrames..<condition.count }

    private func refineFirstLevel(iteration: Int) {
        let openCount = openCounts[iteration]
        let temperature = max(Float(Double(iteration) / Double(options.steps)), 1e-10)
        let isOpen = newFrames.contains { open[$0 * grid.levels] }
        if openCount > 0 {
            draw(levels: 0..<grid.levels, rows: 0..<condition.count, temperature: temperature, scored: true)
        } else {
            // Nothing will be ranked: settled positions and the prompt need no logits.
            draw(
                levels: isOpen ? 0..<grid.levels : 1..<grid.levels, rows: newFrames,
                temperature: options.greedy ? nil : temperature, scored: false)
        }
        for frame in newFrames {
            for level in 0..<grid.levels where open[frame * grid.levels + level] {
                grid[frame, level] = drawn[frame * grid.levels + level]
            }
        }
        guard openCount > 0 else { return }
        for frame in newFrames {
            for level in 0..<grid.levels { open[frame * grid.levels + level] = level > 0 }
        }
        for position in GenerationSchedule.highest(scores, openCount) where position >= promptFrames * grid.levels {
            open[position] = true
        }
        for frame in newFrames {
            for level in 0..<grid.levels where open[frame * grid.levels + level] {
                grid[frame, level] = model.configuration.maskID
            }
        }
    }

    private func fill(fromLevel first: Int) {
        // What the last pass writes over the prompt is looked at by nobody.
        let rows = first == grid.levels - 1 ? newFrames : 0..<condition.count
        draw(levels: first..<grid.levels, rows: rows, temperature: options.greedy ? nil : 1e-10, scored: false)
        for frame in rows {
            for level in first..<grid.levels { grid[frame, level] = drawn[frame * grid.levels + level] }
        }
    }

    /// Fills `drawn` (and `scores`) at these positions: without a temperature by the largest logit, else with noise,
    /// which counts as a call.
    private func draw(levels: Range<Int>, rows: Range<Int>, temperature: Float?, scored: Bool) {
        let (width, codes) = (grid.levels, model.configuration.codes)
        let kept = GenerationSchedule.kept(of: codes)
        let (noise, call) = (noise, noiseCalls)
        drawn.withUnsafeMutableBufferPointer { drawn in
            scores.withUnsafeMutableBufferPointer { scores in
                let (drawn, scores) = (drawn, scores)
                model.heads.apply(levels: levels, rows: rows, space) { tile in
                    for (index, frame) in tile.rows.enumerated() {
                        let position = frame * width + tile.level
                        let row = LogitRow(logits: tile.logits + index * codes, count: codes)
                        guard let temperature else {
                            drawn[position] = row.largest()
                            continue
                        }
                        let draw = row.draw(keeping: kept, temperature: temperature, scored: scored) { numbers in
                            noise.uniforms(call: call, position: position, into: numbers)
                        }
                        drawn[position] = draw.id
                        scores[position] = draw.score
                    }
                }
            }
        }
        if temperature != nil { noiseCalls += 1 }
    }
}
