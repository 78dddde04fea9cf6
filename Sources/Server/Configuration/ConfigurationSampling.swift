extension Configuration {
    /// How the tokens of one modality are drawn.
    public struct Sampling: Sendable, Equatable {
        /// False takes the likeliest token always, and temperature, top k and top p have no effect.
        public var doSample = true
        /// Below 1 the likely become likelier, above 1 less likely.
        public var temperature = 1.0
        /// Only so many of the likeliest; 0 takes all.
        public var topK = 50
        /// Only the likeliest that together have this probability.
        public var topP = 1.0
        /// Above 1 what was said already becomes less likely.
        public var repetitionPenalty = 1.0
        /// The fewest tokens in a run.
        public var minNewTokens = 0
        /// The most tokens in a run.
        public var maxNewTokens = 300
        /// Sequences that a beam search follows; of text alone, and of a base model's.
        public var numBeams = 1

        static let keys: [ConfigurationKey<Sampling>] = [
            .boolean("do_sample", \.doSample),
            .number("temperature", \.temperature, 0.01...10),
            .integer("top_k", \.topK, 0...1_000_000),
            .number("top_p", \.topP, 0.001...1),
            .number("repetition_penalty", \.repetitionPenalty, 0.1...10),
            .integer("min_new_tokens", \.minNewTokens, 0...32_768),
            .integer("max_new_tokens", \.maxNewTokens, 1...32_768),
        ]

        /// Beams are for text alone.
        static let keysOfText: [ConfigurationKey<Sampling>] =
            keys + [.integer("num_beams", \.numBeams, 1...64)]
    }

    /// The sampling of each modality. The defaults suit the default model, which is small and sure only of its best guess;
    /// `config.toml` says what the reference takes.
    public struct SamplingOfModalities: Sendable, Equatable {
        /// Words.
        public var text = Sampling(doSample: false, minNewTokens: 0, maxNewTokens: 100)
        /// Speech, 50 tokens a second.
        public var speech = Sampling(doSample: false, minNewTokens: 10, maxNewTokens: 1500)
        /// Images, 32 tokens each.
        public var image = Sampling(doSample: false, minNewTokens: 32, maxNewTokens: 32)
        /// Music, 200 tokens a second.
        public var music = Sampling(doSample: false, minNewTokens: 200, maxNewTokens: 1000)

        static let keys =
            Sampling.keysOfText.map { $0.under("text", \SamplingOfModalities.text) }
            + Sampling.keys.map { $0.under("speech", \.speech) }
            + Sampling.keys.map { $0.under("image", \.image) }
            + Sampling.keys.map { $0.under("music", \.music) }

        /// The bounds of each run, by its table's name.
        var runs: [(name: String, sampling: Sampling)] {
            [("text", text), ("speech", speech), ("image", image), ("music", music)]
        }
    }
}

extension Configuration.Sampling {
    fileprivate init(doSample: Bool, minNewTokens: Int, maxNewTokens: Int) {
        self.doSample = doSample
        self.minNewTokens = minNewTokens
        self.maxNewTokens = maxNewTokens
    }
}
