import Audio

extension Configuration {
    /// When a person's turn starts and ends, where the client does not say otherwise.
    public struct Turn: Sendable, Equatable {
        /// How loud and certain speech must be, 0 to 1; see `SpeechDetectionSettings`.
        public var threshold = 0.5
        /// Audio from before the first voice that belongs to the turn, in ms.
        public var prefixPaddingMS = 300
        /// Quiet that ends the turn, in ms.
        public var silenceMS = 500
        /// Voice that makes a start, in ms.
        public var minimumSpeechMS = 120
        /// The longest turn, in seconds; it is answered as if it had ended there.
        public var maxTurn = 30.0

        /// The detector's settings.
        public var detection: SpeechDetectionSettings {
            SpeechDetectionSettings(
                threshold: threshold, prefixPaddingMS: prefixPaddingMS, silenceMS: silenceMS,
                minimumSpeechMS: minimumSpeechMS)
        }

        static let keys: [ConfigurationKey<Turn>] = [
            .number("threshold", \.threshold, 0...1),
            .integer("prefix_padding_ms", \.prefixPaddingMS, 0...5000),
            .integer("silence_ms", \.silenceMS, 10...10_000),
            .integer("minimum_speech_ms", \.minimumSpeechMS, 10...2000),
            .number("max_turn_s", \.maxTurn, 1...300),
        ]
    }

    /// How the person's speech becomes tokens while it comes.
    public struct Ingest: Sendable, Equatable {
        /// Frames of 20 ms that a token waits for before it is final: what the bidirectional LSTM is shown of the future.
        public var lookaheadFrames = 10
        /// Audio that is encoded at a time, in ms.
        public var chunkMS = 100

        static let keys: [ConfigurationKey<Ingest>] = [
            .integer("lookahead_frames", \.lookaheadFrames, 0...500),
            .integer("chunk_ms", \.chunkMS, 20...2000),
        ]
    }

    /// How the reply's tokens become sound. Frames are speech tokens, 20 ms each.
    public struct Speech: Sendable, Equatable {
        /// Frames in the first chunk: the fewer, the sooner the reply is heard.
        public var firstChunkFrames = 20
        /// Frames in every later chunk.
        public var chunkFrames = 50
        /// Frames before a chunk that SoundStorm and the decoder see again, so that the seam is not heard.
        public var contextFrames = 50
        /// SoundStorm's passes over the first level that it fills.
        public var steps = 1
        /// Opus, in bits a second.
        public var opusBitrate = 24_000
        /// How far what is sent may be ahead of what is heard, in seconds.
        public var lead = 2.0
        /// How much of the voice's recording is used, in seconds.
        public var maxVoice = 3.0

        static let keys: [ConfigurationKey<Speech>] = [
            .integer("first_chunk_frames", \.firstChunkFrames, 1...1500),
            .integer("chunk_frames", \.chunkFrames, 1...1500),
            .integer("context_frames", \.contextFrames, 0...1500),
            .integer("steps", \.steps, 1...64),
            .integer("opus_bitrate", \.opusBitrate, 6000...510_000),
            .number("lead_s", \.lead, 0.1...60),
            .number("max_voice_s", \.maxVoice, 0.5...30),
        ]
    }
}
