import AnyGPT
import Wire

/// What an answer is to.
struct Question {
    /// The item whose transcript the answer brings; nil for a written question.
    var item: String?
    /// Its speech tokens.
    var frames: Int
    /// When the last of it came in: what the stages of the answer are measured from.
    var end: ContinuousClock.Instant

    /// A question in text.
    static func written(at instant: ContinuousClock.Instant) -> Question {
        Question(item: nil, frames: 0, end: instant)
    }
}

/// A question in writing, with what is shown and played before it.
struct WrittenQuestion {
    var text: String
    /// The picture's tokens' numbers.
    var picture: [Int32]
    /// The music's.
    var music: [Int32]
    var item: String
}

/// How an answer is made.
struct AnswerPlan {
    let form: AnswerForm
    let rules: AnswerRules
    /// Speech or text.
    let modality: OutputModality
}

/// One response while it is made: what was said so far, and when.
struct ResponseRecord {
    let place: OutputPlace
    let modality: OutputModality
    let metadata: JSONValue?
    /// What it is an answer to.
    let question: Question
    var transcript = ""
    var reply = ""
    var transcriptIsDone = false
    var timing: ResponseTiming
    /// What is to be made instead of an answer in words.
    var artifactRequest: ArtifactRequest?
    /// Whether its text is the question's transcript.
    var isTranscription = false
    /// Frames of the piece of music, at most.
    var musicFrames = 0
    /// Why it was stopped, when it was.
    var stopReason: TurnMachine.StopReason?

    var id: String { place.responseID }

    init(place: OutputPlace, modality: OutputModality, metadata: JSONValue?, question: Question) {
        self.place = place
        self.modality = modality
        self.metadata = metadata
        self.question = question
        timing = ResponseTiming(responseID: place.responseID)
        timing.inputAudioTokens = question.frames
    }

    /// The assistant's item as it stands.
    func item(_ status: ItemStatus) -> ConversationItem {
        let part: ContentPart =
            modality == .audio ? .outputAudio(audio: nil, transcript: reply) : .outputText(reply)
        return .message(
            id: place.itemID, status: status, role: .assistant, content: status == .inProgress ? [] : [part])
    }

    /// The item's part as it stands.
    var part: OutputPart {
        OutputPart(place: place, content: modality == .audio ? .audio(transcript: reply) : .text(reply))
    }

    /// The finished response.
    func response(_ outcome: Result<AnswerOutcome, any Error>) -> Response {
        var usage: Usage?
        var status = Response.Status.failed
        var details: Response.StatusDetails?
        switch outcome {
        case .success(let outcome):
            usage = Usage(
                input: .init(
                    textTokens: max(0, outcome.inputTokens - question.frames), audioTokens: question.frames),
                output: .init(
                    textTokens: max(0, outcome.outputTokens - outcome.soundTokens), audioTokens: outcome.soundTokens))
            status = outcome.isComplete && stopReason == nil ? .completed : .cancelled
            if status == .cancelled {
                details = .init(type: .cancelled, reason: (stopReason ?? .clientCancelled).rawValue)
            }
        case .failure:
            details = .init(type: .failed, error: .init(type: "server_error", code: "generation_failed"))
        }
        return Response(
            id: id, status: status, statusDetails: details,
            output: [item(status == .completed ? .completed : .incomplete)],
            outputModality: modality, metadata: metadata, usage: usage)
    }
}
