import Foundation

/// How long the stages of a response took, as the server saw it. Times are milliseconds after the last audio of the
/// turn was received; a stage that did not happen has none.
public struct ResponseTiming: Codable, Equatable, Sendable {
    /// The response.
    public var responseID: String
    /// The turn was taken for ended.
    public var endOfTurnMilliseconds: Double?
    /// The first piece of text was sent.
    public var firstTextMilliseconds: Double?
    /// The first audio was sent.
    public var firstAudioMilliseconds: Double?
    /// The backbone's last token was drawn.
    public var lastTokenMilliseconds: Double?
    /// The first picture or piece of music was complete, and announced.
    public var artifactMilliseconds: Double?
    /// Everything was sent.
    public var doneMilliseconds: Double?
    /// Audio packets that were sent before the backbone's last token was drawn.
    public var packetsBeforeLastToken: Int
    /// Audio packets in all.
    public var packets: Int
    /// Tokens of the prompt, the turn's speech included.
    public var inputTokens: Int
    /// Speech tokens of the turn.
    public var inputAudioTokens: Int
    /// Text tokens that were drawn.
    public var outputTextTokens: Int
    /// Speech tokens that were drawn.
    public var outputAudioTokens: Int

    private enum CodingKeys: String, CodingKey {
        case packets
        case responseID = "response_id"
        case endOfTurnMilliseconds = "end_of_turn_ms"
        case firstTextMilliseconds = "first_text_ms"
        case firstAudioMilliseconds = "first_audio_ms"
        case lastTokenMilliseconds = "last_token_ms"
        case artifactMilliseconds = "artifact_ms"
        case doneMilliseconds = "done_ms"
        case packetsBeforeLastToken = "packets_before_last_token"
        case inputTokens = "input_tokens"
        case inputAudioTokens = "input_audio_tokens"
        case outputTextTokens = "output_text_tokens"
        case outputAudioTokens = "output_audio_tokens"
    }

    /// A measurement in which nothing has happened yet.
    public init(responseID: String) {
        self.responseID = responseID
        packetsBeforeLastToken = 0
        packets = 0
        inputTokens = 0
        inputAudioTokens = 0
        outputTextTokens = 0
        outputAudioTokens = 0
    }
}

/// The body of `/healthz`.
public struct Health: Codable, Equatable, Sendable {
    /// How the daemon is.
    public enum Status: String, Codable, Sendable {
        /// The model is being loaded or warmed up.
        case starting
        /// It serves.
        case ok
        /// It is shutting down.
        case stopping
    }

    /// How the daemon is.
    public var status: Status
    /// The model's name.
    public var model: String
    /// The daemon's version.
    public var version: String
    /// How long it has been running.
    public var uptimeSeconds: Double
    /// How many sessions are open.
    public var sessions: Int

    private enum CodingKeys: String, CodingKey {
        case status, model, version, sessions
        case uptimeSeconds = "uptime_seconds"
    }

    /// A body of its parts.
    public init(status: Status, model: String, version: String, uptimeSeconds: Double, sessions: Int) {
        self.status = status
        self.model = model
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.sessions = sessions
    }

    /// Reads a body.
    public init(parsing bytes: [UInt8]) throws(WireError) {
        do {
            self = try JSONDecoder().decode(Health.self, from: Data(bytes))
        } catch {
            throw WireError(decoding: error)
        }
    }

    /// The body's bytes.
    public func encoded() -> [UInt8] { encodedJSON(self) }
}
