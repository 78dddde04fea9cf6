import AnyGPT
import Wire

/// The tasks that make no reply: writing down what was said, reading aloud what was written and, of a base model, the
/// description of what is shown or played.
extension RealtimeConnection {
    /// How the task is done; nil for a reply.
    func taskPlan(_ parameters: ResponseParameters) throws -> AnswerPlan? {
        guard let task = parameters.task else { return nil }
        func refuse(_ reason: String) -> WireError { WireError(.invalidValue, reason, param: "response.task") }
        guard parameters.artifact == nil else {
            throw refuse("A response makes an artifact or does a task, not both.")
        }
        let (modality, isSpoken) = (task.modality, question.item != nil)
        if let asked = parameters.outputModality, asked != modality {
            throw refuse("The output of the task \(task.rawValue) is \(modality.rawValue).")
        }
        guard isSpoken == (task == .transcribe) else {
            throw refuse(
                isSpoken
                    ? "What is read aloud is a written item; the last question was spoken."
                    : "What is transcribed is speech; the last question was written.")
        }
        let limit = parameters.maxOutputTokens
        return switch task {
        case .transcribe:
            AnswerPlan(form: .transcript, rules: services.plainTextRules(limit: limit), modality: modality)
        case .readAloud: AnswerPlan(form: .reading, rules: services.readingRules(limit: limit), modality: modality)
        }
    }

    /// What a base model does with a picture or music that nothing else is asked of: it describes them.
    func descriptionPlan(_ parameters: ResponseParameters) -> AnswerPlan {
        let rules = services.plainTextRules(limit: parameters.maxOutputTokens)
        return AnswerPlan(form: .words, rules: rules, modality: .text)
    }
}

extension BaseModelRefusal {
    /// The error that the client is sent, with what to do instead.
    var wireError: WireError {
        guard self == .conversation else {
            let line = "\(self)"
            return WireError(.invalidValue, line.prefix(1).uppercased() + line.dropFirst() + ".", param: "response")
        }
        return WireError(
            .conversationUnavailable,
            "This daemon runs a base model, which holds no conversation: ask it to transcribe, to read aloud, to make an "
                + "artifact or to describe a picture or music; or, if it is a chat model, set model.kind.",
            param: "response")
    }
}

extension ResponseTask {
    /// What comes of it.
    var modality: OutputModality { self == .transcribe ? .text : .audio }
}
