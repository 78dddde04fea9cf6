/// Speech was heard.
public struct SpeechStarted: Codable, Equatable, Sendable {
    /// The item that the speech will become.
    public var itemID: String
    /// Where it began, in milliseconds of all audio that was appended; the prefix padding is in it.
    public var audioStartMilliseconds: Int

    private enum CodingKeys: String, CodingKey {
        case itemID = "item_id"
        case audioStartMilliseconds = "audio_start_ms"
    }

    /// A payload of its parts.
    public init(itemID: String, audioStartMilliseconds: Int) {
        self.itemID = itemID
        self.audioStartMilliseconds = audioStartMilliseconds
    }
}

/// Speech has ended.
public struct SpeechStopped: Codable, Equatable, Sendable {
    /// The item that the speech will become.
    public var itemID: String
    /// Where it ended, in milliseconds of all audio that was appended.
    public var audioEndMilliseconds: Int

    private enum CodingKeys: String, CodingKey {
        case itemID = "item_id"
        case audioEndMilliseconds = "audio_end_ms"
    }

    /// A payload of its parts.
    public init(itemID: String, audioEndMilliseconds: Int) {
        self.itemID = itemID
        self.audioEndMilliseconds = audioEndMilliseconds
    }
}

/// The input buffer became an item.
public struct InputCommitted: Codable, Equatable, Sendable {
    /// The item before it; nil for the first.
    public var previousItemID: String?
    /// The item.
    public var itemID: String

    private enum CodingKeys: String, CodingKey {
        case previousItemID = "previous_item_id"
        case itemID = "item_id"
    }

    /// A payload of its parts.
    public init(previousItemID: String?, itemID: String) {
        self.previousItemID = previousItemID
        self.itemID = itemID
    }

    /// Writes the payload; what is not known is null, as OpenAI has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(previousItemID, forKey: .previousItemID)
        try container.encode(itemID, forKey: .itemID)
    }
}

/// An item and where it stands in the conversation.
public struct ItemPlacement: Codable, Equatable, Sendable {
    /// The item before it; nil for the first.
    public var previousItemID: String?
    /// The item.
    public var item: ConversationItem

    private enum CodingKeys: String, CodingKey {
        case previousItemID = "previous_item_id"
        case item
    }

    /// A payload of its parts.
    public init(previousItemID: String?, item: ConversationItem) {
        self.previousItemID = previousItemID
        self.item = item
    }

    /// Writes the payload; what is not known is null, as OpenAI has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(previousItemID, forKey: .previousItemID)
        try container.encode(item, forKey: .item)
    }
}

/// An item was cut to what the listener heard.
public struct ItemTruncated: Codable, Equatable, Sendable {
    /// The item.
    public var itemID: String
    /// The part of it.
    public var contentIndex: Int
    /// How much of it is left.
    public var audioEndMilliseconds: Int

    private enum CodingKeys: String, CodingKey {
        case itemID = "item_id"
        case contentIndex = "content_index"
        case audioEndMilliseconds = "audio_end_ms"
    }

    /// A payload of its parts.
    public init(itemID: String, contentIndex: Int, audioEndMilliseconds: Int) {
        self.itemID = itemID
        self.contentIndex = contentIndex
        self.audioEndMilliseconds = audioEndMilliseconds
    }
}

/// A piece of the input's transcript.
public struct TranscriptionDelta: Codable, Equatable, Sendable {
    /// The item.
    public var itemID: String
    /// The part of it.
    public var contentIndex: Int
    /// The piece.
    public var delta: String

    private enum CodingKeys: String, CodingKey {
        case itemID = "item_id"
        case contentIndex = "content_index"
        case delta
    }

    /// A payload of its parts.
    public init(itemID: String, contentIndex: Int, delta: String) {
        self.itemID = itemID
        self.contentIndex = contentIndex
        self.delta = delta
    }
}

/// The input's transcript.
public struct TranscriptionCompleted: Codable, Equatable, Sendable {
    /// The item.
    public var itemID: String
    /// The part of it.
    public var contentIndex: Int
    /// The transcript.
    public var transcript: String
    /// What it took.
    public var usage: TranscriptionUsage

    private enum CodingKeys: String, CodingKey {
        case itemID = "item_id"
        case contentIndex = "content_index"
        case transcript
        case usage
    }

    /// A payload of its parts.
    public init(itemID: String, contentIndex: Int, transcript: String, usage: TranscriptionUsage) {
        self.itemID = itemID
        self.contentIndex = contentIndex
        self.transcript = transcript
        self.usage = usage
    }
}

/// The input could not be transcribed.
public struct TranscriptionFailed: Codable, Equatable, Sendable {
    /// The item.
    public var itemID: String
    /// The part of it.
    public var contentIndex: Int
    /// Why.
    public var error: WireError

    private enum CodingKeys: String, CodingKey {
        case itemID = "item_id"
        case contentIndex = "content_index"
        case error
    }

    /// A payload of its parts.
    public init(itemID: String, contentIndex: Int, error: WireError) {
        self.itemID = itemID
        self.contentIndex = contentIndex
        self.error = error
    }
}

/// An item of a response.
public struct OutputItem: Codable, Equatable, Sendable {
    /// The response.
    public var responseID: String
    /// The item's place in the response's output.
    public var outputIndex: Int
    /// The item.
    public var item: ConversationItem

    private enum CodingKeys: String, CodingKey {
        case responseID = "response_id"
        case outputIndex = "output_index"
        case item
    }

    /// A payload of its parts.
    public init(responseID: String, outputIndex: Int, item: ConversationItem) {
        self.responseID = responseID
        self.outputIndex = outputIndex
        self.item = item
    }
}

/// A part of a response's item, as the part events have it: unlike in items, its types are `audio` and `text`.
public struct OutputPart: Codable, Equatable, Sendable {
    /// What a part can be.
    public enum Content: Equatable, Sendable {
        /// Speech, with as much of its transcript as there is.
        case audio(transcript: String)
        /// Text, as much as there is.
        case text(String)
    }

    /// Where the part belongs.
    public var place: OutputPlace
    /// The part.
    public var content: Content

    private enum CodingKeys: String, CodingKey { case part }
    private enum PartKeys: String, CodingKey { case type, transcript, text }

    /// A payload of its parts.
    public init(place: OutputPlace, content: Content) {
        self.place = place
        self.content = content
    }

    /// Reads the payload.
    public init(from decoder: any Decoder) throws {
        place = try OutputPlace(from: decoder)
        let part = try decoder.container(keyedBy: CodingKeys.self).nestedContainer(
            keyedBy: PartKeys.self, forKey: .part)
        content =
            try part.decode(String.self, forKey: .type) == "text"
            ? .text(try part.decodeIfPresent(String.self, forKey: .text) ?? "")
            : .audio(transcript: try part.decodeIfPresent(String.self, forKey: .transcript) ?? "")
    }

    /// Writes the payload.
    public func encode(to encoder: any Encoder) throws {
        try place.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        var part = container.nestedContainer(keyedBy: PartKeys.self, forKey: .part)
        switch content {
        case .audio(let transcript):
            try part.encode("audio", forKey: .type)
            try part.encode(transcript, forKey: .transcript)
        case .text(let text):
            try part.encode("text", forKey: .type)
            try part.encode(text, forKey: .text)
        }
    }
}
