/// What a model can do with a question beside replying to it.
public enum ResponseTask: String, Codable, Sendable, CaseIterable {
    /// Writes down what was said, word for word: the output is text.
    case transcribe
    /// Says what was written: the output is audio.
    case readAloud = "read_aloud"
}

/// What a `response.create` asks for; nil leaves it to the session's configuration.
public struct ResponseParameters: Equatable, Sendable {
    /// Instructions for this response.
    public var instructions: String?
    /// Speech or text.
    public var outputModality: OutputModality?
    /// `"none"` keeps the response out of the conversation; `"auto"` is usual.
    public var conversation: String?
    /// Items to answer instead of the conversation.
    public var input: [ConversationItem]?
    /// Passed on to the response's events.
    public var metadata: JSONValue?
    /// The tools on offer.
    public var tools: [JSONValue]?
    /// The choice among them.
    public var toolChoice: JSONValue?
    /// The limit of the response.
    public var maxOutputTokens: TokenLimit?
    /// How audio goes out.
    public var outputFormat: AudioFormat?
    /// Whose voice it is.
    public var voice: Voice?
    /// Ours: what to make instead of an answer in words.
    public var artifact: ArtifactRequest?
    /// Ours: what to do with the last question instead of replying to it.
    public var task: ResponseTask?

    /// Parameters that leave everything to the session.
    public init() {}
}

extension ResponseParameters: Codable {
    private enum CodingKeys: String, CodingKey {
        case instructions, conversation, input, metadata, tools, audio, artifact, task
        case outputModalities = "output_modalities"
        case toolChoice = "tool_choice"
        case maxOutputTokens = "max_output_tokens"
    }

    /// Reads the `response` object of a `response.create`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        instructions = try container.decodeIfPresent(String.self, forKey: .instructions)
        outputModality = try container.decodeIfPresent(OutputModality.self, forKey: .outputModalities)
        conversation = try container.decodeIfPresent(String.self, forKey: .conversation)
        input = try container.decodeIfPresent([ConversationItem].self, forKey: .input)
        metadata = try container.decodeIfPresent(JSONValue.self, forKey: .metadata)
        tools = try container.decodeIfPresent([JSONValue].self, forKey: .tools)
        toolChoice = try container.decodeIfPresent(JSONValue.self, forKey: .toolChoice)
        maxOutputTokens = try container.decodeIfPresent(TokenLimit.self, forKey: .maxOutputTokens)
        let output = try container.decodeIfPresent(ResponseAudio.self, forKey: .audio)?.output
        outputFormat = output?.format
        voice = output?.voice
        artifact = try container.decodeIfPresent(ArtifactRequest.self, forKey: .artifact)
        task = try container.decodeIfPresent(ResponseTask.self, forKey: .task)
    }

    /// Writes the keys that are set.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(instructions, forKey: .instructions)
        try container.encodeIfPresent(outputModality, forKey: .outputModalities)
        try container.encodeIfPresent(conversation, forKey: .conversation)
        try container.encodeIfPresent(input, forKey: .input)
        try container.encodeIfPresent(metadata, forKey: .metadata)
        try container.encodeIfPresent(tools, forKey: .tools)
        try container.encodeIfPresent(toolChoice, forKey: .toolChoice)
        try container.encodeIfPresent(maxOutputTokens, forKey: .maxOutputTokens)
        if outputFormat != nil || voice != nil {
            try container.encode(ResponseAudio(output: .init(format: outputFormat, voice: voice)), forKey: .audio)
        }
        try container.encodeIfPresent(artifact, forKey: .artifact)
        try container.encodeIfPresent(task, forKey: .task)
    }
}

/// The `audio` object of a response.
private struct ResponseAudio: Codable {
    struct Output: Codable {
        var format: AudioFormat?
        var voice: Voice?
    }
    var output: Output?
}

/// A response, as `response.created` and `response.done` report it.
public struct Response: Equatable, Sendable {
    /// How far it is, or how it ended.
    public enum Status: String, Codable, Sendable, CaseIterable {
        /// It is being made.
        case inProgress = "in_progress"
        /// It is whole.
        case completed
        /// It was interrupted.
        case cancelled
        /// It could not be made.
        case failed
        /// It reached a limit.
        case incomplete
    }

    /// Why a response ended early.
    public struct StatusDetails: Codable, Equatable, Sendable {
        /// The status again.
        public var type: Status
        /// `turn_detected`, `client_cancelled`, `max_output_tokens`, …
        public var reason: String?
        /// What failed.
        public var error: Failure?

        /// Details of their parts.
        public init(type: Status, reason: String? = nil, error: Failure? = nil) {
            self.type = type
            self.reason = reason
            self.error = error
        }
    }

    /// What failed.
    public struct Failure: Codable, Equatable, Sendable {
        /// The kind of the error.
        public var type: String?
        /// The code of the error.
        public var code: String?

        /// A failure of its parts.
        public init(type: String?, code: String?) {
            self.type = type
            self.code = code
        }
    }

    /// The response's identifier.
    public var id: String
    /// How far it is, or how it ended.
    public var status: Status
    /// Why it ended early.
    public var statusDetails: StatusDetails?
    /// What was made, in the order of the output indexes.
    public var output: [ConversationItem]
    /// Speech or text.
    public var outputModality: OutputModality
    /// What the client wants to see again; LiveKit finds its request by it.
    public var metadata: JSONValue?
    /// What was counted; nil until the response is done.
    public var usage: Usage?

    /// A response of its parts.
    public init(
        id: String, status: Status, statusDetails: StatusDetails? = nil, output: [ConversationItem] = [],
        outputModality: OutputModality = .audio, metadata: JSONValue? = nil, usage: Usage? = nil
    ) {
        self.id = id
        self.status = status
        self.statusDetails = statusDetails
        self.output = output
        self.outputModality = outputModality
        self.metadata = metadata
        self.usage = usage
    }
}

extension Response: Codable {
    private enum CodingKeys: String, CodingKey {
        case object, id, status, output, metadata, usage
        case statusDetails = "status_details"
        case outputModalities = "output_modalities"
    }

    /// Reads the object.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        status = try container.decode(Status.self, forKey: .status)
        statusDetails = try container.decodeIfPresent(StatusDetails.self, forKey: .statusDetails)
        output = try container.decodeIfPresent([ConversationItem].self, forKey: .output) ?? []
        outputModality = try container.decodeIfPresent(OutputModality.self, forKey: .outputModalities) ?? .audio
        metadata = try container.decodeIfPresent(JSONValue.self, forKey: .metadata)
        usage = try container.decodeIfPresent(Usage.self, forKey: .usage)
    }

    /// Writes the object; what is not known is null, as OpenAI has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("realtime.response", forKey: .object)
        try container.encode(id, forKey: .id)
        try container.encode(status, forKey: .status)
        try container.encode(statusDetails, forKey: .statusDetails)
        try container.encode(output, forKey: .output)
        try container.encode(outputModality, forKey: .outputModalities)
        try container.encode(metadata, forKey: .metadata)
        try container.encode(usage, forKey: .usage)
    }
}
