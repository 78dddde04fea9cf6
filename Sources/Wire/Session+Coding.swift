/// The keys of a session object, which are the same in both directions.
private enum SessionKeys: String, CodingKey {
    case type, object, id, model, instructions, tools, audio
    case outputModalities = "output_modalities"
    case toolChoice = "tool_choice"
    case maxOutputTokens = "max_output_tokens"
}

private enum AudioKeys: String, CodingKey { case input, output }

private enum InputKeys: String, CodingKey {
    case format, transcription
    case noiseReduction = "noise_reduction"
    case turnDetection = "turn_detection"
}

private enum OutputKeys: String, CodingKey { case format, voice, speed }

private enum SessionType: String, CaseIterable { case realtime }

extension KeyedDecodingContainer {
    /// A nested object; absent or null is nil.
    fileprivate func nested<Keys: CodingKey>(_ keys: Keys.Type, _ key: Key) throws -> KeyedDecodingContainer<Keys>? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try nestedContainer(keyedBy: keys, forKey: key)
    }
}

extension SessionUpdate: Codable {
    /// Reads the `session` object of a `session.update`.
    public init(from decoder: any Decoder) throws {
        let session = try decoder.container(keyedBy: SessionKeys.self)
        _ = try session.choice(.type, as: SessionType.self)
        model = try session.decodeIfPresent(String.self, forKey: .model)
        outputModality = try session.decodeIfPresent(OutputModality.self, forKey: .outputModalities)
        instructions = try session.decodeIfPresent(String.self, forKey: .instructions)
        tools = try session.decodeIfPresent([JSONValue].self, forKey: .tools)
        toolChoice = try session.decodeIfPresent(JSONValue.self, forKey: .toolChoice)
        maxOutputTokens = try session.decodeIfPresent(TokenLimit.self, forKey: .maxOutputTokens)
        guard let audio = try session.nested(AudioKeys.self, .audio) else { return }
        if let input = try audio.nested(InputKeys.self, .input) {
            inputFormat = try input.decodeIfPresent(AudioFormat.self, forKey: .format)
            transcription = try input.patch(.transcription)
            noiseReduction = try input.patch(.noiseReduction)
            turnDetection = try input.patch(.turnDetection)
        }
        if let output = try audio.nested(OutputKeys.self, .output) {
            outputFormat = try output.decodeIfPresent(AudioFormat.self, forKey: .format)
            voice = try output.decodeIfPresent(Voice.self, forKey: .voice)
            speed = try output.value(.speed, in: 0.25...1.5)
        }
    }

    /// Writes the object with the keys that are set.
    public func encode(to encoder: any Encoder) throws {
        var session = encoder.container(keyedBy: SessionKeys.self)
        try session.encode(SessionType.realtime.rawValue, forKey: .type)
        try session.encodeIfPresent(model, forKey: .model)
        try session.encodeIfPresent(outputModality, forKey: .outputModalities)
        try session.encodeIfPresent(instructions, forKey: .instructions)
        try session.encodeIfPresent(tools, forKey: .tools)
        try session.encodeIfPresent(toolChoice, forKey: .toolChoice)
        try session.encodeIfPresent(maxOutputTokens, forKey: .maxOutputTokens)
        var audio = session.nestedContainer(keyedBy: AudioKeys.self, forKey: .audio)
        var input = audio.nestedContainer(keyedBy: InputKeys.self, forKey: .input)
        try input.encodeIfPresent(inputFormat, forKey: .format)
        try input.patch(transcription, .transcription)
        try input.patch(noiseReduction, .noiseReduction)
        try input.patch(turnDetection, .turnDetection)
        var output = audio.nestedContainer(keyedBy: OutputKeys.self, forKey: .output)
        try output.encodeIfPresent(outputFormat, forKey: .format)
        try output.encodeIfPresent(voice, forKey: .voice)
        try output.encodeIfPresent(speed, forKey: .speed)
    }
}

extension SessionConfiguration: Codable {
    /// Reads the `session` object of `session.created` and `session.updated`.
    public init(from decoder: any Decoder) throws {
        let session = try decoder.container(keyedBy: SessionKeys.self)
        let update = try SessionUpdate(from: decoder)
        let blank = SessionConfiguration(
            id: try session.decodeIfPresent(String.self, forKey: .id) ?? "", model: "", voice: Voice(""))
        self = blank.applying(update)
    }

    /// Writes the object with every setting; what is off is null.
    public func encode(to encoder: any Encoder) throws {
        var session = encoder.container(keyedBy: SessionKeys.self)
        try session.encode(SessionType.realtime.rawValue, forKey: .type)
        try session.encode("realtime.session", forKey: .object)
        try session.encode(id, forKey: .id)
        try session.encode(model, forKey: .model)
        try session.encode(outputModality, forKey: .outputModalities)
        try session.encode(instructions, forKey: .instructions)
        try session.encode(tools, forKey: .tools)
        try session.encode(toolChoice, forKey: .toolChoice)
        try session.encode(maxOutputTokens, forKey: .maxOutputTokens)
        var audio = session.nestedContainer(keyedBy: AudioKeys.self, forKey: .audio)
        var input = audio.nestedContainer(keyedBy: InputKeys.self, forKey: .input)
        try input.encode(inputFormat, forKey: .format)
        try input.encode(transcription, forKey: .transcription)
        try input.encode(noiseReduction, forKey: .noiseReduction)
        try input.encode(turnDetection, forKey: .turnDetection)
        var output = audio.nestedContainer(keyedBy: OutputKeys.self, forKey: .output)
        try output.encode(outputFormat, forKey: .format)
        try output.encode(voice, forKey: .voice)
        try output.encode(speed, forKey: .speed)
    }
}
