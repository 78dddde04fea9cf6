import Foundation

/// How audio travels in JSON events; always mono.
public enum AudioFormat: String, Equatable, Sendable, CaseIterable {
    /// 16-bit little-endian PCM at 24 kHz.
    case pcm = "audio/pcm"
    /// G.711 µ-law at 8 kHz.
    case pcmu = "audio/pcmu"
    /// G.711 A-law at 8 kHz.
    case pcma = "audio/pcma"

    /// Samples a second.
    public var sampleRate: Int { self == .pcm ? 24_000 : 8_000 }
    /// Bytes a sample.
    public var bytesPerSample: Int { self == .pcm ? 2 : 1 }
}

extension AudioFormat: Codable {
    private enum CodingKeys: String, CodingKey { case type, rate }

    /// Reads `{"type": "audio/pcm", "rate": 24000}`; the rate may be absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let format = try container.choice(.type, as: AudioFormat.self) else {
            throw DecodingError.keyNotFound(
                CodingKeys.type, .init(codingPath: container.codingPath, debugDescription: "The format has no type."))
        }
        _ = try container.value(.rate, in: format.sampleRate...format.sampleRate)
        self = format
    }

    /// Writes the object; only PCM states its rate, as OpenAI has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rawValue, forKey: .type)
        if self == .pcm { try container.encode(sampleRate, forKey: .rate) }
    }
}

/// Who decides that a turn is over. A session without it is in manual mode: the client commits.
public enum TurnDetection: Equatable, Sendable {
    /// Silence does.
    case serverVAD(ServerVAD)
    /// The words, too.
    case semanticVAD(SemanticVAD)

    /// Settings of `server_vad`.
    public struct ServerVAD: Equatable, Sendable {
        /// How probable speech must be, 0 to 1.
        public var threshold = 0.5
        /// How much audio before the detected start belongs to the turn.
        public var prefixPaddingMilliseconds = 300
        /// How much silence ends the turn.
        public var silenceDurationMilliseconds = 500
        /// Whether a response is made when a turn ends.
        public var createResponse = true
        /// Whether speech stops the response that is being played.
        public var interruptResponse = true

        /// OpenAI's defaults, written beside the properties.
        public init() {}
    }

    /// Settings of `semantic_vad`.
    public struct SemanticVAD: Equatable, Sendable {
        /// How soon a pause is taken for the end.
        public enum Eagerness: String, Codable, Sendable, CaseIterable {
            /// Waits longest.
            case low
            /// In between.
            case medium
            /// Answers soonest.
            case high
            /// The server's choice, which is `medium`.
            case auto
        }

        /// How soon a pause is taken for the end.
        public var eagerness = Eagerness.auto
        /// Whether a response is made when a turn ends.
        public var createResponse = true
        /// Whether speech stops the response that is being played.
        public var interruptResponse = true

        /// OpenAI's defaults, written beside the properties.
        public init() {}

        /// The longest pause that is waited through.
        public var maximumWait: Duration {
            switch eagerness {
            case .low: .seconds(8)
            case .medium, .auto: .seconds(4)
            case .high: .seconds(2)
            }
        }
    }

    /// Whether a response is made when a turn ends.
    public var createResponse: Bool {
        switch self {
        case .serverVAD(let settings): settings.createResponse
        case .semanticVAD(let settings): settings.createResponse
        }
    }

    /// Whether speech stops the response that is being played.
    public var interruptResponse: Bool {
        switch self {
        case .serverVAD(let settings): settings.interruptResponse
        case .semanticVAD(let settings): settings.interruptResponse
        }
    }
}

extension TurnDetection: Codable {
    private enum Kind: String, CaseIterable {
        case serverVAD = "server_vad"
        case semanticVAD = "semantic_vad"
    }

    private enum CodingKeys: String, CodingKey {
        case type, threshold, eagerness
        case prefixPadding = "prefix_padding_ms"
        case silenceDuration = "silence_duration_ms"
        case createResponse = "create_response"
        case interruptResponse = "interrupt_response"
    }

    /// Reads the object; what it doesn't say has its default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let createResponse = try container.decodeIfPresent(Bool.self, forKey: .createResponse) ?? true
        let interruptResponse = try container.decodeIfPresent(Bool.self, forKey: .interruptResponse) ?? true
        switch try container.choice(.type, as: Kind.self) ?? .serverVAD {
        case .serverVAD:
            var settings = ServerVAD()
            settings.threshold = try container.value(.threshold, in: 0...1) ?? settings.threshold
            settings.prefixPaddingMilliseconds =
                try container.value(.prefixPadding, in: 0...10_000) ?? settings.prefixPaddingMilliseconds
            settings.silenceDurationMilliseconds =
                try container.value(.silenceDuration, in: 0...60_000) ?? settings.silenceDurationMilliseconds
            settings.createResponse = createResponse
            settings.interruptResponse = interruptResponse
            self = .serverVAD(settings)
        case .semanticVAD:
            var settings = SemanticVAD()
            settings.eagerness =
                try container.choice(.eagerness, as: SemanticVAD.Eagerness.self) ?? settings.eagerness
            settings.createResponse = createResponse
            settings.interruptResponse = interruptResponse
            self = .semanticVAD(settings)
        }
    }

    /// Writes the object with every setting.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .serverVAD(let settings):
            try container.encode(Kind.serverVAD.rawValue, forKey: .type)
            try container.encode(settings.threshold, forKey: .threshold)
            try container.encode(settings.prefixPaddingMilliseconds, forKey: .prefixPadding)
            try container.encode(settings.silenceDurationMilliseconds, forKey: .silenceDuration)
        case .semanticVAD(let settings):
            try container.encode(Kind.semanticVAD.rawValue, forKey: .type)
            try container.encode(settings.eagerness, forKey: .eagerness)
        }
        try container.encode(createResponse, forKey: .createResponse)
        try container.encode(interruptResponse, forKey: .interruptResponse)
    }
}

/// How the input's transcript is made; any model name is taken.
public struct TranscriptionSettings: Codable, Equatable, Sendable {
    /// The model's name, as the client gave it.
    public var model: String?
    /// The input's language, ISO 639-1.
    public var language: String?
    /// Words to expect.
    public var prompt: String?

    /// Settings of their parts.
    public init(model: String? = nil, language: String? = nil, prompt: String? = nil) {
        self.model = model
        self.language = language
        self.prompt = prompt
    }
}

/// Which microphone noise is to be removed.
public struct NoiseReduction: Codable, Equatable, Sendable {
    /// "near_field" or "far_field".
    public var type: String

    /// Settings of their parts.
    public init(type: String) { self.type = type }
}
