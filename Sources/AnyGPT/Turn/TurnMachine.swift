/// Who speaks when: turn-taking and barge-in as one pure state machine. No clock, socket or model is inside; what
/// happens comes in as events, what must be done goes out as actions, in order.
///
/// The person's turn and the answer are two independent halves, since people interrupt: a turn can be open while an
/// answer runs (when interrupting is not allowed), but never two turns or two answers.
public struct TurnMachine: Sendable {
    /// What the client chose.
    public struct Policy: Sendable, Equatable {
        /// The end of a detected turn starts an answer by itself.
        public var answersByItself: Bool
        /// Speech that begins during an answer stops it.
        public var speechInterrupts: Bool

        /// Memberwise; the defaults are those of a hands-free conversation.
        public init(answersByItself: Bool = true, speechInterrupts: Bool = true) {
            self.answersByItself = answersByItself
            self.speechInterrupts = speechInterrupts
        }
    }

    /// What happened.
    public enum Event: Sendable, Equatable {
        /// Voice activity began.
        case speechStarted
        /// Voice activity ended for as long as a turn's end takes.
        case speechStopped
        /// The first sound of a turn in manual mode, where nobody listens for voice.
        case manualAudio
        /// The client says that the turn is complete.
        case commit
        /// The client throws the unfinished turn away.
        case clear
        /// The client wants an answer now.
        case answerRequested
        /// The client wants the answer stopped.
        case cancelRequested
        /// The answer ran to its end, failed, or was stopped: the backbone is free again.
        case answerEnded
    }

    /// What must be done, in this order.
    public enum Action: Sendable, Equatable {
        /// Begin to encode a new turn of the person.
        case openTurn
        /// The turn is complete: finish its tokens and put them into the conversation.
        case closeTurn
        /// Forget the open turn.
        case dropTurn
        /// Generate an answer to the conversation as it stands.
        case startAnswer
        /// Stop the running answer; `answerEnded` will follow.
        case stopAnswer(StopReason)
        /// The request made no sense now.
        case refuse(Refusal)
    }

    /// Why an answer is stopped.
    public enum StopReason: String, Sendable {
        /// Speech began.
        case turnDetected = "turn_detected"
        /// The client asked for it.
        case clientCancelled = "client_cancelled"
    }

    /// Why a request was refused.
    public enum Refusal: String, Sendable {
        /// There is nothing to commit.
        case emptyCommit = "input_audio_buffer_commit_empty"
        /// An answer is running already.
        case answerRunning = "conversation_already_has_active_response"
        /// There is no answer to stop.
        case nothingToCancel = "response_cancel_not_active"
    }

    private enum Answer: Equatable {
        case none
        case running
        /// Told to stop, and not yet reported as ended.
        case stopping
    }

    /// What the client chose; it may change at any time.
    public var policy: Policy
    private var turnOpen = false
    private var answer = Answer.none
    /// An answer to start as soon as the running one has ended.
    private var answerWaits = false

    /// Nobody speaks.
    public init(policy: Policy = Policy()) { self.policy = policy }

    /// A turn of the person is being heard.
    public var isTurnOpen: Bool { turnOpen }
    /// An answer is being made, or is just stopping.
    public var isAnswering: Bool { answer != .none }

    /// Takes one event; returns what it asks for.
    public mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .speechStarted: return speechStarted()
        case .manualAudio: return openTurn()
        case .speechStopped: return closeTurn(thenAnswer: policy.answersByItself)
        case .commit: return turnOpen ? closeTurn(thenAnswer: false) : [.refuse(.emptyCommit)]
        case .clear:
            guard turnOpen else { return [] }
            turnOpen = false
            return [.dropTurn]
        case .answerRequested:
            if answer == .running || answerWaits { return [.refuse(.answerRunning)] }
            return startAnswer()
        case .cancelRequested:
            answerWaits = false
            guard answer == .running else { return [.refuse(.nothingToCancel)] }
            answer = .stopping
            return [.stopAnswer(.clientCancelled)]
        case .answerEnded:
            answer = .none
            guard answerWaits else { return [] }
            answerWaits = false
            return startAnswer()
        }
    }

    private mutating func speechStarted() -> [Action] {
        var actions: [Action] = []
        if policy.speechInterrupts {
            // An answer that has not begun yet is to a question that is going on.
            answerWaits = false
            if answer == .running {
                answer = .stopping
                actions.append(.stopAnswer(.turnDetected))
            }
        }
        return actions + openTurn()
    }

    private mutating func openTurn() -> [Action] {
        guard !turnOpen else { return [] }
        turnOpen = true
        return [.openTurn]
    }

    private mutating func closeTurn(thenAnswer: Bool) -> [Action] {
        guard turnOpen else { return [] }
        turnOpen = false
        return [.closeTurn] + (thenAnswer ? startAnswer() : [])
    }

    private mutating func startAnswer() -> [Action] {
        guard answer == .none else {
            answerWaits = true
            return []
        }
        answer = .running
        return [.startAnswer]
    }
}
