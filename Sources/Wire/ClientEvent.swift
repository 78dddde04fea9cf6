import Foundation

/// What a client says in JSON.
public enum ClientEvent: Equatable, Sendable {
    /// `session.update`
    case sessionUpdate(SessionUpdate)
    /// `input_audio_buffer.append`: bytes in the session's input format.
    case inputAudioBufferAppend([UInt8])
    /// `input_audio_buffer.commit`
    case inputAudioBufferCommit
    /// `input_audio_buffer.clear`
    case inputAudioBufferClear
    /// `conversation.item.create`: `after` is an item's id or "root", the beginning; nil is the end.
    case conversationItemCreate(after: String?, item: ConversationItem)
    /// `conversation.item.retrieve`
    case conversationItemRetrieve(itemID: String)
    /// `conversation.item.truncate`: the listener heard `audioEndMilliseconds` of it. May exceed the item's length.
    case conversationItemTruncate(itemID: String, contentIndex: Int, audioEndMilliseconds: Int)
    /// `conversation.item.delete`
    case conversationItemDelete(itemID: String)
    /// `response.create`
    case responseCreate(ResponseParameters)
    /// `response.cancel`: nil is the active response.
    case responseCancel(responseID: String?)
    /// `output_audio_buffer.clear`: what was sent and not heard is to be forgotten.
    case outputAudioBufferClear
}

/// A client's event with its envelope.
public struct ClientMessage: Equatable, Sendable {
    /// The client's name for this message; an error about it names it again.
    public var eventID: String?
    /// The event.
    public var event: ClientEvent

    /// A message of its parts.
    public init(_ event: ClientEvent, eventID: String? = nil) {
        self.event = event
        self.eventID = eventID
    }

    /// Reads a text message. Unknown keys are passed over; what matters and is wrong is an error that names it.
    public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(WireError) {
        try limits.check(bytes)
        let envelope: Envelope
        do {
            envelope = try JSONDecoder().decode(Envelope.self, from: Data(bytes))
        } catch {
            throw WireError(.invalidJSON, "The message is not a JSON object.")
        }
        self = try envelope.result.get()
    }

    /// The text message's bytes.
    public func encoded() -> [UInt8] { encodedJSON(self) }

    /// Keeps the `event_id` for the error when the rest of the message cannot be read.
    private struct Envelope: Decodable {
        let result: Result<ClientMessage, WireError>

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: ClientKeys.self)
            let eventID = (try? container.decodeIfPresent(String.self, forKey: .eventID)) ?? nil
            do {
                result = .success(ClientMessage(try ClientEvent(from: decoder), eventID: eventID))
            } catch {
                var error = WireError(decoding: error)
                error.eventID = eventID
                result = .failure(error)
            }
        }
    }
}

private enum ClientKeys: String, CodingKey {
    case type, session, audio, item, response
    case eventID = "event_id"
    case previousItemID = "previous_item_id"
    case itemID = "item_id"
    case contentIndex = "content_index"
    case audioEnd = "audio_end_ms"
    case responseID = "response_id"
}

extension ClientMessage: Encodable {
    /// Writes the event with its envelope.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ClientKeys.self)
        try container.encodeIfPresent(eventID, forKey: .eventID)
        try container.encode(event.type, forKey: .type)
        switch event {
        case .sessionUpdate(let update): try container.encode(update, forKey: .session)
        case .inputAudioBufferAppend(let audio): try container.encode(Base64(audio), forKey: .audio)
        case .inputAudioBufferCommit, .inputAudioBufferClear, .outputAudioBufferClear: break
        case .conversationItemCreate(let after, let item):
            try container.encodeIfPresent(after, forKey: .previousItemID)
            try container.encode(item, forKey: .item)
        case .conversationItemRetrieve(let itemID), .conversationItemDelete(let itemID):
            try container.encode(itemID, forKey: .itemID)
        case .conversationItemTruncate(let itemID, let contentIndex, let audioEnd):
            try container.encode(itemID, forKey: .itemID)
            try container.encode(contentIndex, forKey: .contentIndex)
            try container.encode(audioEnd, forKey: .audioEnd)
        case .responseCreate(let parameters): try container.encode(parameters, forKey: .response)
        case .responseCancel(let responseID): try container.encodeIfPresent(responseID, forKey: .responseID)
        }
    }
}

extension ClientEvent: Decodable {
    /// The event's name on the wire.
    public var type: String {
        switch self {
        case .sessionUpdate: "session.update"
        case .inputAudioBufferAppend: "input_audio_buffer.append"
        case .inputAudioBufferCommit: "input_audio_buffer.commit"
        case .inputAudioBufferClear: "input_audio_buffer.clear"
        case .conversationItemCreate: "conversation.item.create"
        case .conversationItemRetrieve: "conversation.item.retrieve"
        case .conversationItemTruncate: "conversation.item.truncate"
        case .conversationItemDelete: "conversation.item.delete"
        case .responseCreate: "response.create"
        case .responseCancel: "response.cancel"
        case .outputAudioBufferClear: "output_audio_buffer.clear"
        }
    }

    /// Reads an event.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ClientKeys.self)
        let type = try container.decode(String.self, forKey: .type)
        switch type {
        case "session.update": self = .sessionUpdate(try container.decode(SessionUpdate.self, forKey: .session))
        case "input_audio_buffer.append":
            self = .inputAudioBufferAppend(try container.decode(Base64.self, forKey: .audio).bytes)
        case "input_audio_buffer.commit": self = .inputAudioBufferCommit
        case "input_audio_buffer.clear": self = .inputAudioBufferClear
        case "conversation.item.create":
            self = .conversationItemCreate(
                after: try container.decodeIfPresent(String.self, forKey: .previousItemID),
                item: try container.decode(ConversationItem.self, forKey: .item))
        case "conversation.item.retrieve":
            self = .conversationItemRetrieve(itemID: try container.decode(String.self, forKey: .itemID))
        case "conversation.item.delete":
            self = .conversationItemDelete(itemID: try container.decode(String.self, forKey: .itemID))
        case "conversation.item.truncate":
            guard let audioEnd = try container.value(.audioEnd, in: 0...Int.max) else {
                throw DecodingError.keyNotFound(
                    ClientKeys.audioEnd, .init(codingPath: [], debugDescription: "There is no end."))
            }
            self = .conversationItemTruncate(
                itemID: try container.decode(String.self, forKey: .itemID),
                contentIndex: try container.value(.contentIndex, in: 0...Int.max) ?? 0,
                audioEndMilliseconds: audioEnd)
        case "response.create":
            self = .responseCreate(
                try container.decodeIfPresent(ResponseParameters.self, forKey: .response) ?? ResponseParameters())
        case "response.cancel":
            self = .responseCancel(responseID: try container.decodeIfPresent(String.self, forKey: .responseID))
        case "output_audio_buffer.clear": self = .outputAudioBufferClear
        default:
            throw WireError(.unknownEvent, "There is no client event \"\(type.prefix(100))\".", param: "type")
        }
    }
}

extension WireError {
    /// Says what a decoder found wrong, and where.
    init(decoding error: any Error) {
        switch error {
        case let error as WireError: self = error
        case DecodingError.keyNotFound(let key, let context):
            let path = Self.path(context.codingPath + [key])
            self.init(.missingField, "The field \"\(path)\" is missing.", param: path)
        case DecodingError.typeMismatch(let type, let context):
            let path = Self.path(context.codingPath)
            self.init(.invalidValue, "The field \"\(path)\" is not \(Self.name(of: type)).", param: path)
        case DecodingError.valueNotFound(let type, let context):
            let path = Self.path(context.codingPath)
            self.init(.invalidValue, "The field \"\(path)\" is null, not \(Self.name(of: type)).", param: path)
        case DecodingError.dataCorrupted(let context):
            let path = Self.path(context.codingPath)
            self.init(.invalidValue, "The field \"\(path)\" is not valid: \(context.debugDescription)", param: path)
        default: self.init(.invalidValue, "The message holds a value that cannot be read.")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return path + "[\(index)]" }
            return path.isEmpty ? key.stringValue : path + "." + key.stringValue
        }
    }

    private static func name(of type: any Any.Type) -> String {
        if type is String.Type { return "a string" }
        if type is Bool.Type { return "a boolean" }
        if type is any BinaryInteger.Type { return "an integer" }
        if type is any BinaryFloatingPoint.Type { return "a number" }
        if type is any Collection.Type, !(type is [String: Any].Type) { return "an array" }
        return "an object"
    }
}

/// Our own messages always encode: they hold strings, integers and finite numbers.
func encodedJSON(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
        return Array(try encoder.encode(value))
    } catch {
        preconditionFailure("a message of ours does not encode: \(error)")
    }
}
