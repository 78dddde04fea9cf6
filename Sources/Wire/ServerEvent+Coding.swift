private enum ServerKeys: String, CodingKey {
    case type, session, item, response, error, delta, transcript, text
    case eventID = "event_id"
    case itemID = "item_id"
}

extension ServerEvent {
    /// The event's name on the wire.
    public var type: String {
        switch self {
        case .error: "error"
        case .sessionCreated: "session.created"
        case .sessionUpdated: "session.updated"
        case .speechStarted: "input_audio_buffer.speech_started"
        case .speechStopped: "input_audio_buffer.speech_stopped"
        case .inputAudioBufferCommitted: "input_audio_buffer.committed"
        case .inputAudioBufferCleared: "input_audio_buffer.cleared"
        case .conversationItemAdded: "conversation.item.added"
        case .conversationItemDone: "conversation.item.done"
        case .conversationItemRetrieved: "conversation.item.retrieved"
        case .conversationItemTruncated: "conversation.item.truncated"
        case .conversationItemDeleted: "conversation.item.deleted"
        case .inputTranscriptionDelta: "conversation.item.input_audio_transcription.delta"
        case .inputTranscriptionCompleted: "conversation.item.input_audio_transcription.completed"
        case .inputTranscriptionFailed: "conversation.item.input_audio_transcription.failed"
        case .responseCreated: "response.created"
        case .responseDone: "response.done"
        case .outputItemAdded: "response.output_item.added"
        case .outputItemDone: "response.output_item.done"
        case .contentPartAdded: "response.content_part.added"
        case .contentPartDone: "response.content_part.done"
        case .outputAudioDelta: "response.output_audio.delta"
        case .outputAudioDone: "response.output_audio.done"
        case .outputTranscriptDelta: "response.output_audio_transcript.delta"
        case .outputTranscriptDone: "response.output_audio_transcript.done"
        case .outputTextDelta: "response.output_text.delta"
        case .outputTextDone: "response.output_text.done"
        case .artifactProgress: "response.output_artifact.progress"
        case .artifactDone: "response.output_artifact.done"
        case .responseTiming: "anygpt.response.timing"
        case .unknown(let type): type
        }
    }
}

extension ServerMessage: Encodable {
    /// Writes the event with its envelope.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ServerKeys.self)
        try container.encode(eventID, forKey: .eventID)
        try container.encode(event.type, forKey: .type)
        switch event {
        case .error(let error): try container.encode(error, forKey: .error)
        case .sessionCreated(let session), .sessionUpdated(let session):
            try container.encode(session, forKey: .session)
        case .speechStarted(let payload): try payload.encode(to: encoder)
        case .speechStopped(let payload): try payload.encode(to: encoder)
        case .inputAudioBufferCommitted(let payload): try payload.encode(to: encoder)
        case .inputAudioBufferCleared, .unknown: break
        case .conversationItemAdded(let payload), .conversationItemDone(let payload):
            try payload.encode(to: encoder)
        case .conversationItemRetrieved(let item): try container.encode(item, forKey: .item)
        case .conversationItemTruncated(let payload): try payload.encode(to: encoder)
        case .conversationItemDeleted(let itemID): try container.encode(itemID, forKey: .itemID)
        case .inputTranscriptionDelta(let payload): try payload.encode(to: encoder)
        case .inputTranscriptionCompleted(let payload): try payload.encode(to: encoder)
        case .inputTranscriptionFailed(let payload): try payload.encode(to: encoder)
        case .responseCreated(let response), .responseDone(let response):
            try container.encode(response, forKey: .response)
        case .outputItemAdded(let payload), .outputItemDone(let payload): try payload.encode(to: encoder)
        case .contentPartAdded(let payload), .contentPartDone(let payload): try payload.encode(to: encoder)
        case .outputAudioDelta(let place, let audio):
            try place.encode(to: encoder)
            try container.encode(Base64(audio), forKey: .delta)
        case .outputAudioDone(let place): try place.encode(to: encoder)
        case .outputTranscriptDelta(let place, let delta), .outputTextDelta(let place, let delta):
            try place.encode(to: encoder)
            try container.encode(delta, forKey: .delta)
        case .outputTranscriptDone(let place, let transcript):
            try place.encode(to: encoder)
            try container.encode(transcript, forKey: .transcript)
        case .outputTextDone(let place, let text):
            try place.encode(to: encoder)
            try container.encode(text, forKey: .text)
        case .artifactProgress(let payload): try payload.encode(to: encoder)
        case .artifactDone(let payload): try payload.encode(to: encoder)
        case .responseTiming(let payload): try payload.encode(to: encoder)
        }
    }
}

extension ServerMessage: Decodable {
    /// Reads an event with its envelope.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ServerKeys.self)
        eventID = try container.decodeIfPresent(String.self, forKey: .eventID) ?? ""
        event = try ServerEvent(type: try container.decode(String.self, forKey: .type), from: decoder)
    }
}

extension ServerEvent {
    fileprivate init(type: String, from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ServerKeys.self)
        func place() throws -> OutputPlace { try OutputPlace(from: decoder) }
        func string(_ key: ServerKeys) throws -> String { try container.decode(String.self, forKey: key) }
        switch type {
        case "error": self = .error(try container.decode(WireError.self, forKey: .error))
        case "session.created":
            self = .sessionCreated(try container.decode(SessionConfiguration.self, forKey: .session))
        case "session.updated":
            self = .sessionUpdated(try container.decode(SessionConfiguration.self, forKey: .session))
        case "input_audio_buffer.speech_started": self = .speechStarted(try SpeechStarted(from: decoder))
        case "input_audio_buffer.speech_stopped": self = .speechStopped(try SpeechStopped(from: decoder))
        case "input_audio_buffer.committed": self = .inputAudioBufferCommitted(try InputCommitted(from: decoder))
        case "input_audio_buffer.cleared": self = .inputAudioBufferCleared
        case "conversation.item.added": self = .conversationItemAdded(try ItemPlacement(from: decoder))
        case "conversation.item.done": self = .conversationItemDone(try ItemPlacement(from: decoder))
        case "conversation.item.retrieved":
            self = .conversationItemRetrieved(try container.decode(ConversationItem.self, forKey: .item))
        case "conversation.item.truncated": self = .conversationItemTruncated(try ItemTruncated(from: decoder))
        case "conversation.item.deleted": self = .conversationItemDeleted(itemID: try string(.itemID))
        case "conversation.item.input_audio_transcription.delta":
            self = .inputTranscriptionDelta(try TranscriptionDelta(from: decoder))
        case "conversation.item.input_audio_transcription.completed":
            self = .inputTranscriptionCompleted(try TranscriptionCompleted(from: decoder))
        case "conversation.item.input_audio_transcription.failed":
            self = .inputTranscriptionFailed(try TranscriptionFailed(from: decoder))
        case "response.created": self = .responseCreated(try container.decode(Response.self, forKey: .response))
        case "response.done": self = .responseDone(try container.decode(Response.self, forKey: .response))
        case "response.output_item.added": self = .outputItemAdded(try OutputItem(from: decoder))
        case "response.output_item.done": self = .outputItemDone(try OutputItem(from: decoder))
        case "response.content_part.added": self = .contentPartAdded(try OutputPart(from: decoder))
        case "response.content_part.done": self = .contentPartDone(try OutputPart(from: decoder))
        case "response.output_audio.delta":
            self = .outputAudioDelta(try place(), audio: try container.decode(Base64.self, forKey: .delta).bytes)
        case "response.output_audio.done": self = .outputAudioDone(try place())
        case "response.output_audio_transcript.delta":
            self = .outputTranscriptDelta(try place(), delta: try string(.delta))
        case "response.output_audio_transcript.done":
            self = .outputTranscriptDone(try place(), transcript: try string(.transcript))
        case "response.output_text.delta": self = .outputTextDelta(try place(), delta: try string(.delta))
        case "response.output_text.done": self = .outputTextDone(try place(), text: try string(.text))
        case "response.output_artifact.progress": self = .artifactProgress(try ArtifactProgress(from: decoder))
        case "response.output_artifact.done": self = .artifactDone(try ArtifactDone(from: decoder))
        case "anygpt.response.timing": self = .responseTiming(try ResponseTiming(from: decoder))
        default: self = .unknown(type: type)
        }
    }
}
