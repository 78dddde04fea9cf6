/// What an answer may hold, and how much of it.
public struct AnswerRules: Sendable, Equatable {
    /// Whether the answer is a chain: the transcript behind `<-Ins->`, the reply behind `<-Res->`.
    public enum Chain: Sendable {
        /// It is not.
        case never
        /// The model decides.
        case optional
        /// It is.
        case required
    }

    /// The modalities that the answer may have runs of, beside text.
    public var modalities: Set<Modality> = [.speech, .image, .music]
    /// Whether the answer is a chain. Without effect when the vocabulary lacks the marks.
    public var chain = Chain.optional
    /// Whether the answer cannot end before a run of speech.
    public var requiresSpeech = false
    /// Whether the reply is over with a run of speech: what can follow are the answer's end, or an image or music, where
    /// `modalities` has them. An image may come before the speech instead, behind which nothing else but that can follow.
    public var endsAfterSpeech = false
    /// The answer does not end before it has this many tokens.
    public var minimumTokens = 0
    /// Behind this many tokens only what closes the answer can come.
    public var maximumTokens = 4000
    /// Text tokens of the transcript.
    public var maximumTranscriptTokens = 500
    /// Text tokens of the reply.
    public var maximumReplyTokens = 500
    /// Speech codes of one run, 50 a second.
    public var maximumSpeechFrames = 1500
    /// Codes of an image: neither more nor less.
    public var imageLength = 32
    /// Frames of one run of music, 50 a second.
    public var maximumMusicFrames = 250
    /// A run of music does not end before it has this many frames.
    public var minimumMusicFrames = 0
    /// How music that is longer than the model was trained on is made; nil makes every run in one piece.
    public var musicWindow: MusicWindow?
    /// Runs of anything but text.
    public var maximumRuns = 4
    /// Images and pieces of music among them.
    public var maximumArtifacts = 4

    /// Above 1, the answer's text is not drawn token by token but found by a beam search with so many beams, and told when it
    /// is complete. Only for answers that are text and nothing else.
    public var beams = 1

    /// Everything that the model can do, within the limits above.
    public init() {}

    /// A spoken turn: transcript, reply, then the reply's speech. Where `modalities` is given more, one image or piece of
    /// music can come with it.
    public static var voiceReply: AnswerRules {
        var rules = AnswerRules()
        rules.modalities = [.speech]
        rules.maximumArtifacts = 1
        rules.requiresSpeech = true
        rules.endsAfterSpeech = true
        return rules
    }

    /// One run of music of at most `frames` frames, and nothing else. The question must end with the mark that begins it.
    public static func music(frames: Int, atLeast least: Int = 0, window: MusicWindow? = nil) -> AnswerRules {
        var rules = AnswerRules()
        rules.modalities = [.music]
        rules.chain = .never
        rules.maximumReplyTokens = 0
        rules.maximumRuns = 1
        rules.maximumTokens = .max
        (rules.maximumMusicFrames, rules.minimumMusicFrames) = (max(1, frames), min(least, max(1, frames)))
        rules.musicWindow = window
        return rules
    }

    /// One image, and nothing else. The question must end with the mark that begins it.
    public static var picture: AnswerRules {
        var rules = AnswerRules()
        rules.modalities = [.image]
        rules.chain = .never
        rules.maximumReplyTokens = 0
        rules.maximumRuns = 1
        return rules
    }

    /// Speech, and nothing else: a text that is read aloud. The question must end with the mark that begins it.
    public static var reading: AnswerRules {
        var rules = AnswerRules.voiceReply
        rules.chain = .never
        rules.maximumReplyTokens = 0
        rules.maximumRuns = 1
        return rules
    }

    /// Text alone, and no chain: a transcript, or a description.
    public static var plainText: AnswerRules {
        var rules = AnswerRules.textReply
        rules.chain = .never
        return rules
    }

    /// Text alone, as a chain when the model makes one.
    public static var textReply: AnswerRules {
        var rules = AnswerRules()
        rules.modalities = []
        return rules
    }
}

/// How long music is made: when a window is full, the model goes on as if the window's last frames were all that it had
/// made, so that it never sees more than it was trained on. The frames that the next window begins with are the same tokens; the
/// decoder gets one sequence of frames, in which nothing marks the place.
public struct MusicWindow: Sendable, Equatable {
    /// Frames of a window: 250 are the 5 s of the paper.
    public var frames: Int
    /// Frames that both windows cover.
    public var overlap: Int
    /// The last frames of the overlap, which the next window makes anew: somewhere among them the piece passes from one
    /// window to the other. With none it goes on behind the last token of the window before.
    public var fade: Int

    /// A window; the overlap leaves room for at least one new frame, and before a fade at least one that is the same.
    public init(frames: Int, overlap: Int, fade: Int = 0) {
        precondition(frames > 0 && overlap > 0 && overlap < frames)
        precondition(fade >= 0 && fade < overlap && overlap + fade <= frames)
        (self.frames, self.overlap, self.fade) = (frames, overlap, fade)
    }
}
