/// In which form a response comes.
public enum OutputModality: String, Equatable, Sendable, CaseIterable {
    /// Speech, with its transcript.
    case audio
    /// Text only.
    case text
}

extension OutputModality: Codable {
    /// Reads `["audio"]` or `["text"]`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let names = try container.decode([String].self)
        guard names.count == 1, let modality = OutputModality(rawValue: names[0]) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "Output modalities are [\"audio\"] or [\"text\"].")
        }
        self = modality
    }

    /// Writes the array of one.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode([rawValue])
    }
}

/// How many tokens a response may have.
public enum TokenLimit: Equatable, Sendable {
    /// At most so many.
    case count(Int)
    /// `"inf"`: as many as the model's context holds.
    case unlimited
}

extension TokenLimit: Codable {
    /// Reads a positive number or `"inf"`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self), text == "inf" {
            self = .unlimited
        } else if let count = try? container.decode(Int.self), count > 0 {
            self = .count(count)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "A token limit is a positive integer or \"inf\".")
        }
    }

    /// Writes the number or `"inf"`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .count(let count): try container.encode(count)
        case .unlimited: try container.encode("inf")
        }
    }
}

/// A voice, by name; `{"id": "…"}` is taken as well.
public struct Voice: Equatable, Sendable {
    /// The name.
    public var name: String

    /// A voice of this name.
    public init(_ name: String) { self.name = name }
}

extension Voice: Codable {
    private enum CodingKeys: String, CodingKey { case id }

    /// Reads a string or an object with an `id`.
    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self.init(name)
        } else {
            self.init(try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .id))
        }
    }

    /// Writes the string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

/// The effective configuration of a session, as `session.created` and `session.updated` report it.
public struct SessionConfiguration: Equatable, Sendable {
    /// The session's identifier.
    public var id: String
    /// The model's name.
    public var model: String
    /// Speech or text.
    public var outputModality = OutputModality.audio
    /// The system prompt.
    public var instructions = ""
    /// The tools that were offered, passed on as they came.
    public var tools: [JSONValue] = []
    /// The choice among them, passed on as it came.
    public var toolChoice = JSONValue.string("auto")
    /// The limit of each response.
    public var maxOutputTokens = TokenLimit.unlimited
    /// How audio comes in.
    public var inputFormat = AudioFormat.pcm
    /// How it is transcribed; nil sends no transcript.
    public var transcription: TranscriptionSettings?
    /// Which noise is removed; nil removes none.
    public var noiseReduction: NoiseReduction?
    /// Who ends a turn; nil is manual mode.
    public var turnDetection: TurnDetection? = .serverVAD(TurnDetection.ServerVAD())
    /// How audio goes out.
    public var outputFormat = AudioFormat.pcm
    /// Whose voice it is.
    public var voice: Voice
    /// How fast it speaks, 1 being natural.
    public var speed = 1.0

    /// A configuration with the defaults written beside the properties.
    public init(id: String, model: String, voice: Voice) {
        self.id = id
        self.model = model
        self.voice = voice
    }

    /// The configuration after an update; what the update doesn't name stays.
    public func applying(_ update: SessionUpdate) -> SessionConfiguration {
        var new = self
        new.model = update.model ?? model
        new.outputModality = update.outputModality ?? outputModality
        new.instructions = update.instructions ?? instructions
        new.tools = update.tools ?? tools
        new.toolChoice = update.toolChoice ?? toolChoice
        new.maxOutputTokens = update.maxOutputTokens ?? maxOutputTokens
        new.inputFormat = update.inputFormat ?? inputFormat
        new.transcription = update.transcription.applied(to: transcription)
        new.noiseReduction = update.noiseReduction.applied(to: noiseReduction)
        new.turnDetection = update.turnDetection.applied(to: turnDetection)
        new.outputFormat = update.outputFormat ?? outputFormat
        new.voice = update.voice ?? voice
        new.speed = update.speed ?? speed
        return new
    }
}

/// A `session.update`: nil and `.keep` leave a setting as it is.
public struct SessionUpdate: Equatable, Sendable {
    /// The model's name; any is taken.
    public var model: String?
    /// Speech or text.
    public var outputModality: OutputModality?
    /// The system prompt.
    public var instructions: String?
    /// The tools on offer.
    public var tools: [JSONValue]?
    /// The choice among them.
    public var toolChoice: JSONValue?
    /// The limit of each response.
    public var maxOutputTokens: TokenLimit?
    /// How audio comes in.
    public var inputFormat: AudioFormat?
    /// How it is transcribed.
    public var transcription: Patch<TranscriptionSettings> = .keep
    /// Which noise is removed.
    public var noiseReduction: Patch<NoiseReduction> = .keep
    /// Who ends a turn; `.clear` is manual mode.
    public var turnDetection: Patch<TurnDetection> = .keep
    /// How audio goes out.
    public var outputFormat: AudioFormat?
    /// Whose voice it is.
    public var voice: Voice?
    /// How fast it speaks.
    public var speed: Double?

    /// An update that changes nothing yet.
    public init() {}
}
