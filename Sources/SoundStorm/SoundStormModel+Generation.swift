extension SoundStormModel {
    /// Voices `semantic` in one go: codes `[frames, levels + 1]`, level 0 the semantic ids themselves.
    ///
    /// - Parameters:
    ///   - prompt: codes `[frames, levels + 1]` of the voice.
    ///   - onPass: is given the grid that each forward pass starts from.
    /// - Throws: as `GenerationRun` does.
    public func generate(
        semantic: [Int], prompt: TokenGrid? = nil, options: GenerationOptions = GenerationOptions(),
        noise: some NoiseSource = SeededNoise(seed: 0), onPass: ((TokenGrid) -> Void)? = nil
    ) throws(SoundStormError) -> TokenGrid {
        let run = try GenerationRun(self, semantic: semantic, prompt: prompt, options: options, noise: noise)
        run.onPass = onPass
        while run.step() {}
        return run.result
    }

    /// Throws unless these can be voiced.
    func require(semantic: [Int]) throws(SoundStormError) {
        try TokenGrid(levels: 1, values: semantic)
            .require("generate", "speech for semantic ids", below: { _ in configuration.semanticCodes })
    }

    /// Throws unless these are codes of a voice.
    func require(voice: TokenGrid) throws(SoundStormError) {
        guard voice.levels == configuration.levels + 1 else {
            throw SoundStormError(
                "use", "a voice prompt", "it has \(voice.levels) levels, expected \(configuration.levels + 1)")
        }
        try voice.require(
            "use", "a voice prompt", below: { $0 == 0 ? configuration.semanticCodes : configuration.codes })
    }
}
