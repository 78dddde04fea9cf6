import Compute
import Encodec
import Foundation
import Llama
import SEED
import SoundStorm
import SpeechTokenizer
import Tokenizers
import UnCLIP

/// Where an engine's models lie, and how they are used.
public struct EngineSettings: Sendable {
    /// The folder of the backbone, as Hugging Face writes it.
    public var llama: URL
    /// What the backbone has been taught.
    public var kind = ModelKind.chat
    /// The folder with SpeechTokenizer's `config.json` and `ckpt.dev`.
    public var speechTokenizer: URL
    /// SoundStorm's state dictionary.
    public var soundStorm: URL
    /// The folder of Encodec, as Hugging Face keeps it; nil: music is neither heard nor made.
    public var encodec: URL?
    /// The folder of SEED-2, AnyGPT's image tokenizer; nil: pictures are neither seen nor drawn.
    public var seed: URL?
    /// The folder of the unCLIP pipeline that draws pictures; nil: none are drawn.
    public var unclip: URL?
    /// How pictures are drawn.
    public var pictures = PictureSettings()
    /// What cannot be read off SoundStorm's tensors; nil looks for `soundstorm.json` beside them.
    public var soundStormDescription: SoundStormDescription?
    /// The first line of every conversation; nil for the words that the model was trained with.
    public var systemPrompt: String?
    /// What a spoken turn's answer is made to begin with.
    public var answerStart = AnswerStart.transcript
    /// Frames of speech that are encoded at a time: 8 are 160 ms.
    public var ingestFrames = 8
    /// Frames at the end of live speech that are not shown to the backbone yet, since the next sound revises them.
    public var lookaheadFrames = 10
    /// Tokens that the backbone reads at a time.
    public var prefillBlock = 32
    /// How speech is cut into chunks and generated.
    public var streaming = StreamingOptions()
    /// How tokens are drawn.
    public var sampling = ModalitySampling()

    /// Settings with the defaults.
    public init(llama: URL, speechTokenizer: URL, soundStorm: URL) {
        self.llama = llama
        self.speechTokenizer = speechTokenizer
        self.soundStorm = soundStorm
    }
}

/// Everything that is loaded once and shared by all conversations: weights, vocabulary, voice. Immutable.
public struct Engine: Sendable {
    /// How it was set up.
    public let settings: EngineSettings
    /// Text and ids.
    public let tokenizer: LlamaTokenizer
    /// Where the modalities lie among the ids.
    public let vocabulary: ModalityVocabulary
    /// How conversations are written.
    public let template: PromptTemplate
    /// The backbone.
    public let llama: LlamaModel
    /// Speech ↔ codes.
    public let speechTokenizer: SpeechTokenizerModel
    /// Semantic codes → all levels.
    public let soundStorm: SoundStormModel
    /// Music ↔ codes; nil where none was configured.
    public let encodec: EncodecModel?
    /// Pictures ↔ codes; nil where none was configured.
    public let seed: SEEDModel?
    /// Codes → pictures; nil where none was configured.
    public let unclip: UnCLIPModel?
    /// Lets one picture be drawn at a time.
    let pictureTurnstile = Turnstile()
    /// The voice that speaks: codes of all levels; nil lets SoundStorm make one up.
    public let voice: TokenGrid?
    /// The threads that compute.
    public var pool: ComputePool { .shared }

    /// Loads everything.
    ///
    /// - Parameters:
    ///   - voice: a few seconds of somebody speaking, at the speech tokenizer's rate; nil for no particular voice.
    ///   - progress: is told what is being loaded, in a few words.
    public init(
        _ settings: EngineSettings, voice: [Float]?, progress: (String) -> Void = { _ in }
    ) throws {
        self.settings = settings
        progress("tokenizer \(settings.llama.path)")
        tokenizer = try LlamaTokenizer(folder: settings.llama)
        if let folder = settings.encodec {
            progress("Encodec \(folder.path)")
            encodec = try EncodecModel(folder: folder)
        } else {
            encodec = nil
        }
        if let folder = settings.seed {
            progress("SEED \(folder.path)")
            seed = try SEEDModel(folder: folder)
        } else {
            seed = nil
        }
        if let folder = settings.unclip {
            progress("unCLIP \(folder.path)")
            unclip = try UnCLIPModel(folder: folder)
        } else {
            unclip = nil
        }
        vocabulary = try ModalityVocabulary(tokenizer, musicLevels: encodec?.encodedLevels ?? 4)
        template = PromptTemplate(
            tokenizer: tokenizer, vocabulary: vocabulary, systemPrompt: settings.systemPrompt)
        progress("backbone \(settings.llama.path)")
        llama = try LlamaModel(folder: settings.llama)
        progress("speech tokenizer \(settings.speechTokenizer.path)")
        speechTokenizer = try SpeechTokenizerModel(folder: settings.speechTokenizer)
        progress("SoundStorm \(settings.soundStorm.path)")
        soundStorm = try SoundStormModel(contentsOf: settings.soundStorm, described: settings.soundStormDescription)
        try Self.check(tokenizer, vocabulary, llama, speechTokenizer, soundStorm)
        if let encodec { try Self.check(vocabulary, encodec) }
        try Self.check(vocabulary, seed, unclip)
        if let voice, !voice.isEmpty {
            progress("voice")
            let codes = speechTokenizer.encode(voice)
            let frames = codes[0].count
            self.voice = TokenGrid(
                levels: codes.count,
                values: (0..<frames).flatMap { frame in codes.map { Int($0[frame]) } })
        } else {
            self.voice = nil
        }
    }

    /// The parts must fit each other: they may come from different folders.
    private static func check(
        _ tokenizer: LlamaTokenizer, _ vocabulary: ModalityVocabulary, _ llama: LlamaModel,
        _ speech: SpeechTokenizerModel, _ storm: SoundStormModel
    ) throws {
        let codes = vocabulary.speech.codes.count
        let book = speech.configuration.codebookSize
        guard tokenizer.count <= llama.configuration.vocab_size else {
            throw EngineError(
                reason: "the tokenizer has \(tokenizer.count) tokens, the backbone only "
                    + "\(llama.configuration.vocab_size)")
        }
        guard codes == book else {
            throw EngineError(reason: "the vocabulary has \(codes) speech tokens, the speech tokenizer \(book) codes")
        }
        guard storm.configuration.semanticCodes == codes, storm.configuration.codes == book else {
            throw EngineError(
                reason: "SoundStorm knows \(storm.configuration.semanticCodes) semantic and "
                    + "\(storm.configuration.codes) acoustic codes, the speech tokenizer \(book)")
        }
        guard storm.configuration.levels + 1 == speech.configuration.levels else {
            throw EngineError(
                reason: "SoundStorm fills \(storm.configuration.levels) levels, the speech tokenizer has "
                    + "\(speech.configuration.levels)")
        }
    }

    private static func check(_ vocabulary: ModalityVocabulary, _ encodec: EncodecModel) throws {
        guard let music = vocabulary.music else {
            throw EngineError(reason: "an Encodec is configured, but the vocabulary has no music tokens")
        }
        guard encodec.configuration.audioChannels == 1 else {
            throw EngineError(reason: "the Encodec is one for stereo, not the one at 32 kHz")
        }
        let (levels, size) = (encodec.encodedLevels, encodec.configuration.codebookSize)
        guard music.codes.count == levels * size else {
            throw EngineError(
                reason: "the vocabulary has \(music.codes.count) music tokens, the Encodec \(levels) levels of \(size)")
        }
    }

    private static func check(
        _ vocabulary: ModalityVocabulary, _ seed: SEEDModel?, _ unclip: UnCLIPModel?
    ) throws {
        guard let seed else {
            guard unclip == nil else {
                throw EngineError(reason: "an unCLIP pipeline is configured, but no SEED tokenizer to feed it")
            }
            return
        }
        guard let image = vocabulary.image else {
            throw EngineError(reason: "a SEED tokenizer is configured, but the vocabulary has no image tokens")
        }
        guard image.codes.count == seed.quantizer.codes else {
            throw EngineError(
                reason: "the vocabulary has \(image.codes.count) image tokens, the SEED tokenizer "
                    + "\(seed.quantizer.codes) codes")
        }
        if let unclip, unclip.embeddingSize != seed.quantizer.embeddingSize {
            throw EngineError(
                reason: "SEED's embeddings have \(seed.quantizer.embeddingSize) numbers, the unCLIP pipeline takes "
                    + "\(unclip.embeddingSize)")
        }
    }

    /// How music's codes are laid out among its tokens; nil where there is no Encodec.
    public var music: MusicTokens? {
        encodec.map { MusicTokens(levels: $0.encodedLevels, size: $0.configuration.codebookSize) }
    }

    /// Samples a second of the speech that comes in and goes out.
    public var sampleRate: Int { speechTokenizer.configuration.sampleRate }
    /// Samples that one speech token stands for.
    public var samplesPerFrame: Int { speechTokenizer.hop }

    func makeVoice() throws -> SoundStormStream {
        try SoundStormStream(soundStorm, voice: voice, options: settings.streaming)
    }

    /// Runs every network once, so that the first turn does not pay for pages that are not mapped yet.
    public func warmUp() async throws {
        let session = try Session(self, seed: 0) { _ in }
        try await session.openTurn(item: "warm-up")
        try await session.hear([Float](repeating: 0, count: speechTokenizer.configuration.sampleRate))
        try await session.closeTurn()
        guard settings.kind == .chat else { return try await warmUpTasks(session) }
        var rules = AnswerRules.voiceReply
        rules.maximumTranscriptTokens = 1
        rules.maximumReplyTokens = 1
        rules.maximumSpeechFrames = 30
        _ = try await session.answer(rules: rules)
    }

    /// A base model hears and speaks in two tasks.
    private func warmUpTasks(_ session: Session) async throws {
        var rules = AnswerRules.plainText
        rules.maximumReplyTokens = 1
        _ = try await session.answer(rules: rules, as: .transcript)
        rules = .reading
        rules.maximumSpeechFrames = 30
        try await session.write("hello", item: "warm-up text")
        _ = try await session.answer(rules: rules, as: .reading)
    }
}

/// Why models cannot work together.
public struct EngineError: Error, Equatable, CustomStringConvertible {
    /// What does not fit.
    public var reason: String
    /// One line for a person.
    public var description: String { "the models do not fit together: \(reason)" }
}
