import Foundation

/// What the server says in JSON: OpenAI Realtime's events, and three of ours that only clients of the subprotocol
/// `anygpt.opus.v1` are sent.
public enum ServerEvent: Equatable, Sendable {
    /// `error`
    case error(WireError)
    /// `session.created`: the first event of a session.
    case sessionCreated(SessionConfiguration)
    /// `session.updated`: the effective configuration.
    case sessionUpdated(SessionConfiguration)

    /// `input_audio_buffer.speech_started`
    case speechStarted(SpeechStarted)
    /// `input_audio_buffer.speech_stopped`
    case speechStopped(SpeechStopped)
    /// `input_audio_buffer.committed`
    case inputAudioBufferCommitted(InputCommitted)
    /// `input_audio_buffer.cleared`
    case inputAudioBufferCleared

    /// `conversation.item.added`
    case conversationItemAdded(ItemPlacement)
    /// `conversation.item.done`
    case conversationItemDone(ItemPlacement)
    /// `conversation.item.retrieved`
    case conversationItemRetrieved(ConversationItem)
    /// `conversation.item.truncated`
    case conversationItemTruncated(ItemTruncated)
    /// `conversation.item.deleted`
    case conversationItemDeleted(itemID: String)
    /// `conversation.item.input_audio_transcription.delta`
    case inputTranscriptionDelta(TranscriptionDelta)
    /// `conversation.item.input_audio_transcription.completed`
    case inputTranscriptionCompleted(TranscriptionCompleted)
    /// `conversation.item.input_audio_transcription.failed`
    case inputTranscriptionFailed(TranscriptionFailed)

    /// `response.created`
    case responseCreated(Response)
    /// `response.done`
    case responseDone(Response)
    /// `response.output_item.added`
    case outputItemAdded(OutputItem)
    /// `response.output_item.done`
    case outputItemDone(OutputItem)
    /// `response.content_part.added`
    case contentPartAdded(OutputPart)
    /// `response.content_part.done`
    case contentPartDone(OutputPart)
    /// `response.output_audio.delta`: bytes in the session's output format.
    case outputAudioDelta(OutputPlace, audio: [UInt8])
    /// `response.output_audio.done`
    case outputAudioDone(OutputPlace)
    /// `response.output_audio_transcript.delta`
    case outputTranscriptDelta(OutputPlace, delta: String)
    /// `response.output_audio_transcript.done`
    case outputTranscriptDone(OutputPlace, transcript: String)
    /// `response.output_text.delta`
    case outputTextDelta(OutputPlace, delta: String)
    /// `response.output_text.done`
    case outputTextDone(OutputPlace, text: String)

    /// Ours: `response.output_artifact.progress`
    case artifactProgress(ArtifactProgress)
    /// Ours: `response.output_artifact.done`
    case artifactDone(ArtifactDone)
    /// Ours: `anygpt.response.timing`
    case responseTiming(ResponseTiming)

    /// An event this program doesn't know. Only read, never written by our server.
    case unknown(type: String)
}

/// A server's event with its envelope.
public struct ServerMessage: Equatable, Sendable {
    /// The event's identifier; every event has one.
    public var eventID: String
    /// The event.
    public var event: ServerEvent

    /// A message of its parts.
    public init(_ event: ServerEvent, eventID: String) {
        self.event = event
        self.eventID = eventID
    }

    /// Reads a text message. Unknown keys and unknown events are passed over.
    public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(WireError) {
        try limits.check(bytes)
        do {
            self = try JSONDecoder().decode(ServerMessage.self, from: Data(bytes))
        } catch {
            throw WireError(decoding: error)
        }
    }

    /// The text message's bytes.
    public func encoded() -> [UInt8] { encodedJSON(self) }
}

/// Where in a response something belongs.
public struct OutputPlace: Codable, Hashable, Sendable {
    /// The response.
    public var responseID: String
    /// The item of the response.
    public var itemID: String
    /// The item's place in the response's output.
    public var outputIndex: Int
    /// The part's place in the item's content.
    public var contentIndex: Int

    private enum CodingKeys: String, CodingKey {
        case responseID = "response_id"
        case itemID = "item_id"
        case outputIndex = "output_index"
        case contentIndex = "content_index"
    }

    /// A place of its parts.
    public init(responseID: String, itemID: String, outputIndex: Int, contentIndex: Int = 0) {
        self.responseID = responseID
        self.itemID = itemID
        self.outputIndex = outputIndex
        self.contentIndex = contentIndex
    }
}

extension ServerEvent {
    /// Whether OpenAI has this event: those that it has not are only sent to clients of our subprotocol.
    public var isOpenAI: Bool {
        switch self {
        case .artifactProgress, .artifactDone, .responseTiming, .unknown: false
        default: true
        }
    }
}
