/// What is wrong with a client's message, or could not be done: the body of an OpenAI `error` event.
public struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whose fault it is.
    public enum Kind: String, Codable, Sendable {
        /// The client's.
        case invalidRequest = "invalid_request_error"
        /// Ours.
        case server = "server_error"
    }

    /// What programs tell errors apart by.
    public struct Code: RawRepresentable, Codable, Hashable, Sendable {
        /// The code on the wire.
        public let rawValue: String

        /// A code; those of the protocol are constants.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The text is not JSON, or not a JSON object, or nested too deeply.
        public static let invalidJSON = Code(rawValue: "invalid_json")
        /// The event's type is not one that a client sends.
        public static let unknownEvent = Code(rawValue: "unknown_event")
        /// A field that must be there is not.
        public static let missingField = Code(rawValue: "missing_field")
        /// A field is of the wrong type or out of its range.
        public static let invalidValue = Code(rawValue: "invalid_value")
        /// The message exceeds the configured size.
        public static let messageTooLarge = Code(rawValue: "message_too_large")
        /// A binary message is not a frame of the subprotocol, or there is no subprotocol.
        public static let invalidFrame = Code(rawValue: "invalid_frame")
        /// The item that an event names is not in the conversation.
        public static let itemNotFound = Code(rawValue: "item_not_found")
        /// Ours: music was played or asked for, and the daemon has no network for it.
        public static let musicUnavailable = Code(rawValue: "music_unavailable")
        /// Pictures were shown, or asked for, where the daemon has no network for them.
        public static let imagesUnavailable = Code(rawValue: "images_unavailable")
        /// Ours: a reply was wanted, and the daemon's model is one that does tasks alone.
        public static let conversationUnavailable = Code(rawValue: "conversation_unavailable")
        /// There is nothing to commit. LiveKit passes over this code.
        public static let inputAudioBufferCommitEmpty = Code(rawValue: "input_audio_buffer_commit_empty")
        /// No response is active that could be cancelled. pipecat passes over this code.
        public static let responseCancelNotActive = Code(rawValue: "response_cancel_not_active")
        /// A response is active already. pipecat passes over this code.
        public static let conversationAlreadyHasActiveResponse = Code(
            rawValue: "conversation_already_has_active_response")
    }

    /// Whose fault it is.
    public var kind: Kind
    /// What programs tell errors apart by.
    public var code: Code
    /// One line for people.
    public var message: String
    /// The field at fault, as a path: `session.audio.input.format.type`.
    public var param: String?
    /// The `event_id` of the client's event, where it had one.
    public var eventID: String?

    /// An error of its parts.
    public init(
        _ code: Code, _ message: String, param: String? = nil, eventID: String? = nil, kind: Kind = .invalidRequest
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.param = param
        self.eventID = eventID
    }

    /// The error of a message that was longer than the limit.
    public static func tooLarge(bytes: Int, limit: Int) -> WireError {
        WireError(.messageTooLarge, "The message has \(bytes) bytes; at most \(limit) are taken.")
    }

    /// The error of a text message that is not UTF-8.
    public static let notUTF8 = WireError(.invalidJSON, "The text message is not UTF-8.")

    /// The error of a binary message that is not a frame of the subprotocol.
    public static func frame(_ error: OpusFrameError) -> WireError {
        WireError(.invalidFrame, "Not a frame of \(OpusSubprotocol.name): \(error).")
    }

    /// One line for a log.
    public var description: String { "\(code.rawValue): \(message)" + (param.map { " (\($0))" } ?? "") }
}

extension WireError: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind = "type"
        case code, message, param
        case eventID = "event_id"
    }

    /// Reads the error's object; unknown kinds are taken for the server's.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = Kind(rawValue: try container.decode(String.self, forKey: .kind)) ?? .server
        code = try container.decodeIfPresent(Code.self, forKey: .code) ?? Code(rawValue: "")
        message = try container.decode(String.self, forKey: .message)
        param = try container.decodeIfPresent(String.self, forKey: .param)
        eventID = try container.decodeIfPresent(String.self, forKey: .eventID)
    }

    /// Writes the error's object; what is not known is null, as OpenAI has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(code, forKey: .code)
        try container.encode(message, forKey: .message)
        try container.encode(param, forKey: .param)
        try container.encode(eventID, forKey: .eventID)
    }
}
