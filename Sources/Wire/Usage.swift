/// The tokens that a response took and made.
public struct Usage: Codable, Equatable, Sendable {
    /// Tokens of each kind; pipecat needs every one of them.
    public struct InputDetails: Codable, Equatable, Sendable {
        /// Tokens of text.
        public var textTokens: Int
        /// Tokens of speech and music.
        public var audioTokens: Int
        /// Tokens of pictures.
        public var imageTokens: Int
        /// Those of them that the model had seen before.
        public var cachedTokens: Int
        /// The cached ones by kind.
        public var cachedTokensDetails: CachedDetails

        private enum CodingKeys: String, CodingKey {
            case textTokens = "text_tokens"
            case audioTokens = "audio_tokens"
            case imageTokens = "image_tokens"
            case cachedTokens = "cached_tokens"
            case cachedTokensDetails = "cached_tokens_details"
        }

        /// Counts; the cached ones are given by kind.
        public init(textTokens: Int, audioTokens: Int, imageTokens: Int = 0, cached: CachedDetails = CachedDetails()) {
            self.textTokens = textTokens
            self.audioTokens = audioTokens
            self.imageTokens = imageTokens
            cachedTokens = cached.textTokens + cached.audioTokens + cached.imageTokens
            cachedTokensDetails = cached
        }
    }

    /// Cached tokens by kind.
    public struct CachedDetails: Codable, Equatable, Sendable {
        /// Tokens of text.
        public var textTokens: Int
        /// Tokens of speech and music.
        public var audioTokens: Int
        /// Tokens of pictures.
        public var imageTokens: Int

        private enum CodingKeys: String, CodingKey {
            case textTokens = "text_tokens"
            case audioTokens = "audio_tokens"
            case imageTokens = "image_tokens"
        }

        /// Counts.
        public init(textTokens: Int = 0, audioTokens: Int = 0, imageTokens: Int = 0) {
            self.textTokens = textTokens
            self.audioTokens = audioTokens
            self.imageTokens = imageTokens
        }
    }

    /// Made tokens by kind.
    public struct OutputDetails: Codable, Equatable, Sendable {
        /// Tokens of text.
        public var textTokens: Int
        /// Tokens of speech and music.
        public var audioTokens: Int

        private enum CodingKeys: String, CodingKey {
            case textTokens = "text_tokens"
            case audioTokens = "audio_tokens"
        }

        /// Counts.
        public init(textTokens: Int, audioTokens: Int) {
            self.textTokens = textTokens
            self.audioTokens = audioTokens
        }
    }

    /// All tokens.
    public var totalTokens: Int
    /// The tokens taken.
    public var inputTokens: Int
    /// The tokens made.
    public var outputTokens: Int
    /// The tokens taken, by kind.
    public var inputTokenDetails: InputDetails
    /// The tokens made, by kind.
    public var outputTokenDetails: OutputDetails

    private enum CodingKeys: String, CodingKey {
        case totalTokens = "total_tokens"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case inputTokenDetails = "input_token_details"
        case outputTokenDetails = "output_token_details"
    }

    /// Adds the counts up.
    public init(input: InputDetails, output: OutputDetails) {
        inputTokenDetails = input
        outputTokenDetails = output
        inputTokens = input.textTokens + input.audioTokens + input.imageTokens
        outputTokens = output.textTokens + output.audioTokens
        totalTokens = inputTokens + outputTokens
    }
}

/// What a transcript took.
public enum TranscriptionUsage: Equatable, Sendable {
    /// So much audio.
    case duration(seconds: Double)
    /// So many tokens.
    case tokens(input: Int, output: Int)
}

extension TranscriptionUsage: Codable {
    private enum CodingKeys: String, CodingKey {
        case type, seconds
        case totalTokens = "total_tokens"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
    }

    /// Reads either form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if try container.decode(String.self, forKey: .type) == "duration" {
            self = .duration(seconds: try container.decode(Double.self, forKey: .seconds))
        } else {
            self = .tokens(
                input: try container.decode(Int.self, forKey: .inputTokens),
                output: try container.decode(Int.self, forKey: .outputTokens))
        }
    }

    /// Writes the object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .duration(let seconds):
            try container.encode("duration", forKey: .type)
            try container.encode(seconds, forKey: .seconds)
        case .tokens(let input, let output):
            try container.encode("tokens", forKey: .type)
            try container.encode(input, forKey: .inputTokens)
            try container.encode(output, forKey: .outputTokens)
            try container.encode(input + output, forKey: .totalTokens)
        }
    }
}
