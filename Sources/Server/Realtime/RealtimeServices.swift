import AnyGPT
import Audio
import Logging
import Wire

/// What all sessions of a daemon share, in the units that they need it.
struct RealtimeServices: Sendable {
    let engine: Engine
    let configuration: Configuration
    /// Where artifacts go; nil where no network makes any.
    var artifacts: ArtifactStore?
    let logger: Logger

    /// The model's name, as sessions report it.
    var modelName: String { "anygpt" }
    /// What an artifact's tags call the model: the backbone's folder.
    var artifactModelName: String {
        configuration.model.llama.split(separator: "/").suffix(2).joined(separator: "/")
    }
    /// Samples a second of the model's speech.
    var speechSampleRate: Int { engine.sampleRate }
    /// Frames of speech a second: 50.
    var framesPerSecond: Double { Double(speechSampleRate) / Double(engine.samplesPerFrame) }
    /// One frame at 48 kHz.
    var samplesPerFrame48k: Int { engine.samplesPerFrame * 48_000 / speechSampleRate }
    var opusBitrate: Int { configuration.speech.opusBitrate }
    var lead: Duration { .seconds(configuration.speech.lead) }
    var idleTimeout: Duration { .seconds(configuration.server.idleTimeout) }
    var maxMessageBytes: Int { configuration.server.maxMessageBytes }
    var maximumTurnSamples: Int { Int(configuration.turn.maxTurn * Double(AudioInput.sampleRate)) }

    var jsonLimits: JSONLimits {
        var limits = JSONLimits()
        limits.maxBytes = maxMessageBytes
        return limits
    }

    /// Where a session's drawing of tokens begins.
    func seed() -> UInt64 {
        configuration.seed == 0 ? UInt64.random(in: 0...UInt64.max) : UInt64(configuration.seed)
    }

    /// A name that nobody else has.
    func randomName() -> String {
        let digits = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<16).map { _ in digits[Int.random(in: 0..<digits.count)] })
    }

    /// What a session starts with.
    func initialSettings(id: String) -> SessionConfiguration {
        var settings = SessionConfiguration(id: id, model: modelName, voice: Voice("default"))
        // A base model has no prompt that is the same for all.
        settings.instructions = engine.settings.kind == .base ? "" : engine.template.systemPrompt
        var detection = TurnDetection.ServerVAD()
        detection.threshold = configuration.turn.threshold
        detection.prefixPaddingMilliseconds = configuration.turn.prefixPaddingMS
        detection.silenceDurationMilliseconds = configuration.turn.silenceMS
        settings.turnDetection = .serverVAD(detection)
        return settings
    }

    /// How the ends of turns are found; nil in manual mode.
    ///
    /// `semantic_vad` is taken as a silence of its own: shorter, the more eager it is to be.
    func detection(_ detection: TurnDetection?) -> SpeechDetectionSettings? {
        let turn = configuration.turn
        switch detection {
        case nil: return nil
        case .serverVAD(let settings):
            return SpeechDetectionSettings(
                threshold: settings.threshold, prefixPaddingMS: settings.prefixPaddingMilliseconds,
                silenceMS: max(10, settings.silenceDurationMilliseconds), minimumSpeechMS: turn.minimumSpeechMS)
        case .semanticVAD(let settings):
            let silence =
                switch settings.eagerness {
                case .low: 1200
                case .medium, .auto: 800
                case .high: 400
                }
            return SpeechDetectionSettings(
                threshold: turn.threshold, prefixPaddingMS: turn.prefixPaddingMS, silenceMS: silence,
                minimumSpeechMS: turn.minimumSpeechMS)
        }
    }

    /// What a transcript, or a base model's description, may hold.
    func plainTextRules(limit: TokenLimit?) -> AnswerRules {
        var rules = AnswerRules.plainText
        rules.maximumReplyTokens = configuration.sampling.text.maxNewTokens
        if engine.settings.kind == .base { rules.beams = configuration.sampling.text.numBeams }
        if case .count(let count)? = limit { rules.maximumTokens = count }
        return rules
    }

    /// What a text that is read aloud may hold.
    func readingRules(limit: TokenLimit?) -> AnswerRules {
        var rules = AnswerRules.reading
        rules.maximumSpeechFrames = configuration.sampling.speech.maxNewTokens
        if case .count(let count)? = limit { rules.maximumTokens = count }
        return rules
    }

    /// What a reply may hold.
    ///
    /// - Parameter artifacts: whether the model may draw a picture, or make a piece of music, where it finds that one is
    ///   wanted.
    func rules(_ modality: OutputModality, spoken: Bool, artifacts: Bool, limit: TokenLimit?) -> AnswerRules {
        var rules = modality == .audio ? AnswerRules.voiceReply : AnswerRules.textReply
        // A reply has one place for them.
        rules.maximumArtifacts = 1
        if artifacts, engine.unclip != nil { rules.modalities.insert(.image) }
        if artifacts, engine.encodec != nil {
            rules.modalities.insert(.music)
            let piece = configuration.musicRules(seconds: nil, engine: engine)
            rules.maximumMusicFrames = piece.maximumMusicFrames
            rules.minimumMusicFrames = piece.minimumMusicFrames
        }
        rules.chain = spoken ? .required : .never
        rules.maximumTranscriptTokens = configuration.sampling.text.maxNewTokens
        rules.maximumReplyTokens = configuration.sampling.text.maxNewTokens
        rules.maximumSpeechFrames = configuration.sampling.speech.maxNewTokens
        if case .count(let count)? = limit { rules.maximumTokens = count }
        return rules
    }
}
