/// What a piece of work is for, most urgent first: a listener must never run out of audio because somebody else's
/// picture is being made.
///
/// Pieces are cut to about 20 ms by their authors; a piece that has begun is never interrupted.
public enum WorkClass: Int, CaseIterable, Sendable, Comparable {
    /// Speech that somebody is about to hear: SoundStorm, the speech decoder, Opus.
    case audioOut
    /// Live speech that comes in: the speech encoder, feeding the backbone while the person speaks.
    case ingest
    /// Tokens of an answer.
    case tokens
    /// Pictures and music.
    case artifact

    public static func < (a: WorkClass, b: WorkClass) -> Bool { a.rawValue < b.rawValue }
}
