import Wire

/// What became of one spoken turn, and when, as its speaker saw it.
public struct TurnReport: Equatable, Sendable {
    /// When each stage was reached, counted from one moment for the whole conversation; a stage that was not reached
    /// has no time.
    public struct Times: Equatable, Sendable {
        /// The last sample of speech was sent. In silence-ended turns: the last one in which voice was found.
        public var lastSampleSent: Duration?
        /// The server said that the turn is over.
        public var endOfTurn: Duration?
        /// The first text came, transcript or reply.
        public var firstText: Duration?
        /// The first text of the reply came.
        public var firstReplyText: Duration?
        /// The first packet of the reply's sound came.
        public var firstAudio: Duration?
        /// The response was complete.
        public var done: Duration?

        /// Nothing has happened.
        public init() {}
    }

    /// What the server heard.
    public var transcript = ""
    /// What it answered.
    public var reply = ""
    /// How the response ended; nil when there was none, or it was not done.
    public var status: Response.Status?
    /// Why it ended early: `turn_detected` when speech went on, `client_cancelled`, or the code of a failure.
    public var reason: String?
    /// When what happened.
    public var times = Times()
    /// Packets of sound that came.
    public var packets = 0
    /// Packets that were lost on the way or were not Opus, for which sound was made up.
    public var concealedPackets = 0
    /// How much sound the reply has, in samples of `ReplySound.sampleRate`.
    public var samples = 0
    /// Pictures and pieces of music that came with the reply.
    public var artifacts: [Artifact] = []
    /// What the server measured.
    public var server: ResponseTiming?

    /// A turn in which nothing has happened.
    public init() {}

    /// How long the reply's sound lasts.
    public var replySeconds: Double { Double(samples) / Double(ReplySound.sampleRate) }

    /// Whether the answer is whole.
    public var isCompleted: Bool { status == .completed }

    /// Whether the answer was stopped because the speech went on.
    public var isInterrupted: Bool { status == .cancelled && reason == "turn_detected" }
}
