/// Whether an item is whole.
public enum ItemStatus: String, Codable, Sendable, CaseIterable {
    /// It is.
    case completed
    /// It was cut off.
    case incomplete
    /// It is being made.
    case inProgress = "in_progress"
}

/// Who says a message.
public enum Role: String, Codable, Sendable, CaseIterable {
    /// The person.
    case user
    /// The model.
    case assistant
    /// Whoever set the conversation up.
    case system
}

/// An item of a conversation.
public struct ConversationItem: Equatable, Sendable {
    /// What an item can be.
    public enum Kind: Equatable, Sendable {
        /// Something said or shown.
        case message(role: Role, content: [ContentPart])
        /// A tool the model calls; the arguments are a JSON text.
        case functionCall(callID: String, name: String, arguments: String)
        /// What the tool answered.
        case functionCallOutput(callID: String, output: String)
    }

    /// The item's identifier; nil in a `conversation.item.create` that leaves the choice to the server.
    public var id: String?
    /// Whether the item is whole.
    public var status: ItemStatus?
    /// What it is.
    public var kind: Kind

    /// An item of its parts.
    public init(id: String? = nil, status: ItemStatus? = nil, kind: Kind) {
        self.id = id
        self.status = status
        self.kind = kind
    }

    /// The item without the bytes of the pictures in it, which are long.
    public var withoutPictures: ConversationItem {
        guard case .message(let role, let content) = kind else { return self }
        var item = self
        item.kind = .message(
            role: role,
            content: content.map { part in
                if case .inputImage(.url, let detail) = part { .inputImage(.url(""), detail: detail) } else { part }
            })
        return item
    }

    /// A message.
    public static func message(
        id: String? = nil, status: ItemStatus? = nil, role: Role, content: [ContentPart]
    ) -> ConversationItem {
        ConversationItem(id: id, status: status, kind: .message(role: role, content: content))
    }
}

/// A picture that is shown to the model.
public enum ShownPicture: Equatable, Sendable {
    /// A URL; the daemon takes data URIs (see `DataURI`).
    case url(String)
    /// Ours: a file that was sent before under this number (see `ClientUploadFrame`).
    case upload(UInt32)
}

/// A part of a message.
public enum ContentPart: Equatable, Sendable {
    /// What was typed.
    case inputText(String)
    /// What was said, in the session's input format; a server reports it without the audio.
    case inputAudio(audio: [UInt8]?, transcript: String?)
    /// What was shown.
    case inputImage(ShownPicture, detail: String?)
    /// Ours: music that is played, as a sound file that was sent before under this number (see `ClientUploadFrame`).
    case inputMusic(upload: UInt32)
    /// What the model wrote.
    case outputText(String)
    /// What the model said, in the session's output format.
    case outputAudio(audio: [UInt8]?, transcript: String?)
}

extension ContentPart: Codable {
    private enum Kind: String, CaseIterable {
        case inputText = "input_text"
        case inputAudio = "input_audio"
        case inputImage = "input_image"
        case inputMusic = "input_music"
        case outputText = "output_text"
        case outputAudio = "output_audio"
        // What the events of the beta called an assistant's content; clients still replay histories with them.
        case text, audio
    }

    private enum CodingKeys: String, CodingKey {
        case type, text, audio, transcript, detail, upload
        case imageURL = "image_url"
    }

    /// Reads a part of any kind.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let kind = try container.choice(.type, as: Kind.self) else {
            throw DecodingError.keyNotFound(
                CodingKeys.type, .init(codingPath: container.codingPath, debugDescription: "The part has no type."))
        }
        switch kind {
        case .inputText: self = .inputText(try container.decode(String.self, forKey: .text))
        case .outputText, .text: self = .outputText(try container.decode(String.self, forKey: .text))
        case .inputAudio:
            self = .inputAudio(
                audio: try container.decodeIfPresent(Base64.self, forKey: .audio)?.bytes,
                transcript: try container.decodeIfPresent(String.self, forKey: .transcript))
        case .outputAudio, .audio:
            self = .outputAudio(
                audio: try container.decodeIfPresent(Base64.self, forKey: .audio)?.bytes,
                transcript: try container.decodeIfPresent(String.self, forKey: .transcript))
        case .inputImage:
            let upload = try container.decodeIfPresent(UInt32.self, forKey: .upload)
            let shown = try upload.map(ShownPicture.upload) ?? .url(container.decode(String.self, forKey: .imageURL))
            self = .inputImage(
                shown,
                detail: try container.decodeIfPresent(String.self, forKey: .detail))
        case .inputMusic: self = .inputMusic(upload: try container.decode(UInt32.self, forKey: .upload))
        }
    }

    /// Writes the part.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .inputText(let text):
            try container.encode(Kind.inputText.rawValue, forKey: .type)
            try container.encode(text, forKey: .text)
        case .outputText(let text):
            try container.encode(Kind.outputText.rawValue, forKey: .type)
            try container.encode(text, forKey: .text)
        case .inputAudio(let audio, let transcript):
            try container.encode(Kind.inputAudio.rawValue, forKey: .type)
            try container.encodeIfPresent(audio.map { Base64($0) }, forKey: .audio)
            try container.encode(transcript, forKey: .transcript)
        case .outputAudio(let audio, let transcript):
            try container.encode(Kind.outputAudio.rawValue, forKey: .type)
            try container.encodeIfPresent(audio.map { Base64($0) }, forKey: .audio)
            try container.encode(transcript, forKey: .transcript)
        case .inputImage(let shown, let detail):
            try container.encode(Kind.inputImage.rawValue, forKey: .type)
            switch shown {
            case .url(let url): try container.encode(url, forKey: .imageURL)
            case .upload(let number): try container.encode(number, forKey: .upload)
            }
            try container.encodeIfPresent(detail, forKey: .detail)
        case .inputMusic(let upload):
            try container.encode(Kind.inputMusic.rawValue, forKey: .type)
            try container.encode(upload, forKey: .upload)
        }
    }
}

extension ConversationItem: Codable {
    private enum ItemType: String, CaseIterable {
        case message
        case functionCall = "function_call"
        case functionCallOutput = "function_call_output"
    }

    private enum CodingKeys: String, CodingKey {
        case id, object, type, status, role, content, name, arguments, output
        case callID = "call_id"
    }

    /// Reads an item; without a type it is a message.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        status = try container.choice(.status, as: ItemStatus.self)
        switch try container.choice(.type, as: ItemType.self) ?? .message {
        case .message:
            guard let role = try container.choice(.role, as: Role.self) else {
                throw DecodingError.keyNotFound(
                    CodingKeys.role,
                    .init(codingPath: container.codingPath, debugDescription: "The message has no role."))
            }
            kind = .message(role: role, content: try container.decode([ContentPart].self, forKey: .content))
        case .functionCall:
            kind = .functionCall(
                callID: try container.decode(String.self, forKey: .callID),
                name: try container.decode(String.self, forKey: .name),
                arguments: try container.decode(String.self, forKey: .arguments))
        case .functionCallOutput:
            kind = .functionCallOutput(
                callID: try container.decode(String.self, forKey: .callID),
                output: try container.decode(String.self, forKey: .output))
        }
    }

    /// Writes the item.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(id, forKey: .id)
        try container.encode("realtime.item", forKey: .object)
        try container.encodeIfPresent(status, forKey: .status)
        switch kind {
        case .message(let role, let content):
            try container.encode(ItemType.message.rawValue, forKey: .type)
            try container.encode(role, forKey: .role)
            try container.encode(content, forKey: .content)
        case .functionCall(let callID, let name, let arguments):
            try container.encode(ItemType.functionCall.rawValue, forKey: .type)
            try container.encode(callID, forKey: .callID)
            try container.encode(name, forKey: .name)
            try container.encode(arguments, forKey: .arguments)
        case .functionCallOutput(let callID, let output):
            try container.encode(ItemType.functionCallOutput.rawValue, forKey: .type)
            try container.encode(callID, forKey: .callID)
            try container.encode(output, forKey: .output)
        }
    }
}
