import Tokenizers

/// What the tokens of a model mean, found from the tokens' own strings: no id and no size is assumed.
///
/// AnyGPT's training scripts add `<🗣️0>`…`<🗣️n>`, `<sosp>`, `<eosp>` and the like for images and music behind the
/// pieces of LLaMA's tokenizer; which ids they get and how many codes there are differs between checkpoints.
public struct ModalityVocabulary: Sendable, Equatable {
    /// The codes of one modality and the marks around a run of them.
    public struct Block: Sendable, Equatable {
        /// Ids of the codes: code c has the id `codes.lowerBound + c`.
        public let codes: Range<Int32>
        /// Id of the mark that begins a run: `<sosp>`, `<soim>`, `<somu>`.
        public let start: Int32
        /// Id of the mark that ends a run: `<eosp>`, `<eoim>`, `<eomu>`.
        public let end: Int32

        /// The code of an id, nil when the id is no code of this modality.
        public func code(of id: Int32) -> Int32? {
            codes.contains(id) ? id - codes.lowerBound : nil
        }

        /// The id of a code.
        public func id(ofCode code: Int32) -> Int32 {
            precondition(code >= 0 && Int(code) < codes.count, "no such code")
            return codes.lowerBound + code
        }
    }

    /// The two names under which the assistant was trained.
    public enum Assistant: String, Sendable {
        /// The published chat checkpoints.
        case mmgpt = "MMGPT"
        /// The name in the paper and in newer scripts.
        case anygpt = "AnyGPT"
    }

    /// Semantic codes of speech, 50 a second.
    public let speech: Block
    /// Codes of images, when the model has them.
    public let image: Block?
    /// Codes of music, when the model has them: all levels in one block, level k's codes behind level k-1's.
    public let music: Block?
    /// How many codes of music make a frame, one of each level.
    public let musicLevels: Int
    /// The assistant's name.
    public let assistant: Assistant
    /// `<eos>` (MMGPT) or `<eom>` (AnyGPT): ends the assistant's answer.
    public let endOfAnswer: Int32
    /// `</s>`: ends a training example, so a model may end an answer with it as well.
    public let endOfText: Int32?
    /// `<-Ins->`: what follows in an answer is the transcript of what was said. Nil when it is no token.
    public let instruction: Int32?
    /// `<-Res->`: what follows in an answer is the reply. Nil when it is no token.
    public let response: Int32?
    /// Ids of the tokens that are text: SentencePiece's pieces.
    public let text: TokenSet
    /// Those of them that are nothing but spaces.
    public let spaces: TokenSet

    /// The strings that codes are written with: `<PREFIX7>`. The speech prefix is U+1F5E3 U+FE0F.
    enum Prefix {
        static let speech = ["\u{1F5E3}\u{FE0F}"]
        static let image = ["\u{1F440}", "\u{1F5BC}\u{FE0F}", "\u{1F5BC}"]
        static let music = ["\u{1F3B6}"]
    }

    /// Reads the vocabulary of a tokenizer.
    ///
    /// - Parameter musicLevels: how many levels the music tokenizer has; Encodec at 32 kHz has 4.
    /// - Throws: an error that names the token when speech or the end of an answer is missing, when codes lack their
    ///   marks or marks their codes, or when codes have a gap, come twice or do not stand one behind the other.
    public init(_ tokenizer: LlamaTokenizer, musicLevels: Int = 4) throws(VocabularyError) {
        precondition(musicLevels > 0, "a frame of music has at least one code")
        let scan = VocabularyScan(tokenizer)
        guard let speech = try scan.block(.speech, Prefix.speech) else {
            throw VocabularyError("no speech codes: <\(Prefix.speech[0])0> is no added token")
        }
        self.speech = speech
        image = try scan.block(.image, Prefix.image)
        music = try scan.block(.music, Prefix.music)
        if let music, music.codes.count % musicLevels != 0 {
            throw VocabularyError("\(music.codes.count) music codes do not divide into \(musicLevels) levels")
        }
        self.musicLevels = musicLevels
        let isAnyGPT = scan.id("[AnyGPT]") != nil || scan.id("<eom>") != nil
        assistant = isAnyGPT ? .anygpt : .mmgpt
        let end = isAnyGPT ? "<eom>" : "<eos>"
        guard let endOfAnswer = scan.id(end) else {
            throw VocabularyError("\(end), which ends an answer, is no added token")
        }
        self.endOfAnswer = endOfAnswer
        endOfText = tokenizer.eosID
        instruction = scan.id("<-Ins->")
        response = scan.id("<-Res->")
        text = scan.text
        spaces = TokenSet(
            ids: text.ranges.joined().filter { id in
                tokenizer.token(of: id)?.unicodeScalars.allSatisfy { $0 == "\u{2581}" } == true
            })
    }

    /// The block of a modality, nil when the model has none.
    public func block(_ modality: Modality) -> Block? {
        switch modality {
        case .text: nil
        case .speech: speech
        case .image: image
        case .music: music
        }
    }
}

/// What a stretch of tokens is.
public enum Modality: String, Sendable, CaseIterable {
    /// SentencePiece's pieces.
    case text
    /// Semantic speech codes between `<sosp>` and `<eosp>`.
    case speech
    /// Image codes between `<soim>` and `<eoim>`.
    case image
    /// Music codes between `<somu>` and `<eomu>`.
    case music
}

/// Why a tokenizer's tokens are not an AnyGPT vocabulary.
public struct VocabularyError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, with the token's name.
    public let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    /// One line.
    public var description: String { "vocabulary: \(reason)" }
}
