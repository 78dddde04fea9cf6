/// A picture or a piece of music that is complete and can be fetched.
public struct Artifact: Codable, Equatable, Sendable {
    /// What an artifact can be.
    public enum Kind: String, Codable, Sendable {
        /// A picture; it has a width and a height.
        case image
        /// A piece of music; it has a duration.
        case music
    }

    /// The artifact's identifier.
    public var id: String
    /// What it is.
    public var type: Kind
    /// How it is encoded: `image/png`, `audio/flac`.
    public var mimeType: String
    /// Its size.
    public var bytes: Int
    /// The SHA-256 of its bytes, in lower-case hexadecimal digits.
    public var sha256: String
    /// Where it can be fetched with GET.
    public var url: String
    /// A picture's width in pixels.
    public var width: Int?
    /// A picture's height in pixels.
    public var height: Int?
    /// A piece's duration.
    public var durationMilliseconds: Int?

    private enum CodingKeys: String, CodingKey {
        case id, type, bytes, sha256, url, width, height
        case mimeType = "mime_type"
        case durationMilliseconds = "duration_ms"
    }

    /// An artifact of its parts.
    public init(
        id: String, type: Kind, mimeType: String, bytes: Int, sha256: String, url: String, width: Int? = nil,
        height: Int? = nil, durationMilliseconds: Int? = nil
    ) {
        self.id = id
        self.type = type
        self.mimeType = mimeType
        self.bytes = bytes
        self.sha256 = sha256
        self.url = url
        self.width = width
        self.height = height
        self.durationMilliseconds = durationMilliseconds
    }
}

/// An artifact is complete; announced once.
public struct ArtifactDone: Codable, Equatable, Sendable {
    /// The response.
    public var responseID: String
    /// The item of the response.
    public var itemID: String
    /// The item's place in the response's output.
    public var outputIndex: Int
    /// The artifact.
    public var artifact: Artifact

    private enum CodingKeys: String, CodingKey {
        case artifact
        case responseID = "response_id"
        case itemID = "item_id"
        case outputIndex = "output_index"
    }

    /// A payload of its parts.
    public init(responseID: String, itemID: String, outputIndex: Int, artifact: Artifact) {
        self.responseID = responseID
        self.itemID = itemID
        self.outputIndex = outputIndex
        self.artifact = artifact
    }
}

/// An artifact is being made.
public struct ArtifactProgress: Codable, Equatable, Sendable {
    /// The response.
    public var responseID: String
    /// The item of the response.
    public var itemID: String
    /// The item's place in the response's output.
    public var outputIndex: Int
    /// Steps done.
    public var step: Int
    /// Steps in all.
    public var steps: Int
    /// What will be the `artifact` of the event that tells of its completion.
    private var artifact: Subject?

    private struct Subject: Codable, Equatable, Sendable {
        var type: Artifact.Kind
    }

    /// What is being made; nil from a daemon that does not say.
    public var kind: Artifact.Kind? { artifact?.type }

    private enum CodingKeys: String, CodingKey {
        case step, steps, artifact
        case responseID = "response_id"
        case itemID = "item_id"
        case outputIndex = "output_index"
    }

    /// A payload of its parts.
    public init(responseID: String, itemID: String, outputIndex: Int, kind: Artifact.Kind, step: Int, steps: Int) {
        self.responseID = responseID
        self.itemID = itemID
        self.outputIndex = outputIndex
        self.step = step
        self.steps = steps
        artifact = Subject(type: kind)
    }
}

/// What a client wants to be made: the `artifact` object of a `response.create`, an extension of ours. The request is the
/// last written item.
public struct ArtifactRequest: Codable, Equatable, Sendable {
    /// What is to be made.
    public var type: Artifact.Kind
    /// The kind of file: for music `flac` (the default), `wav` or `opus`.
    public var format: String?
    /// How long a piece of music is to be; nil leaves it to the model, up to its 5 s.
    public var seconds: Double?

    /// A request of its parts.
    public init(type: Artifact.Kind, format: String? = nil, seconds: Double? = nil) {
        self.type = type
        self.format = format
        self.seconds = seconds
    }
}
