import AnyGPT
import Wire

/// The two tasks that make no reply: writing down what was said, and reading aloud what was written.
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
        let rules = services.rules(task, limit: parameters.maxOutputTokens)
        return AnswerPlan(form: task == .transcribe ? .transcript : .reading, rules: rules, modality: modality)
    }
}

extension ResponseTask {
    /// What comes of it.
    var modality: OutputModality { self == .transcribe ? .text : .audio }
}
