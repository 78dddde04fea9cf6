import AnyGPT
import Wire

/// What pictures and pieces of music have in common: they are made beside an answer, and announced once when complete.
extension RealtimeConnection {
    /// How the artifact is made; nil for words.
    func artifactPlan(_ request: ArtifactRequest?) throws -> AnswerPlan? {
        guard let request else { return nil }
        let plan =
            switch request.type {
            case .music: AnswerPlan(form: .music, rules: try musicRules(request), modality: .text)
            case .image: AnswerPlan(form: .picture, rules: try pictureRules(request), modality: .text)
            }
        guard mayMakeArtifacts else {
            throw WireError(
                .invalidValue, "This session has made \(artifactsMade) artifacts, which is as many as one may.",
                param: "response.artifact")
        }
        return plan
    }

    /// Whether this session has not made as many as it may.
    var mayMakeArtifacts: Bool { artifactsMade < services.configuration.artifacts.maxPerSession }

    /// What the artifact of the running response was made of: the question's words, as it was written or heard.
    var artifactPrompt: String { response?.question.item == nil ? lastWritten : response?.transcript ?? "" }

    /// A step of an artifact's making; when one fails there will be no artifact, and the response fails.
    func making(_ step: () async throws -> Void) async {
        guard artifactFailure == nil else { return }
        do {
            try await step()
        } catch {
            artifactFailure = error
        }
    }

    /// How far the artifact of the running response is.
    func tell(_ kind: Artifact.Kind, step: Int, of steps: Int) {
        guard let place = response?.place, response?.stopReason == nil else { return }
        send(
            .artifactProgress(
                ArtifactProgress(
                    responseID: place.responseID, itemID: place.itemID, outputIndex: place.outputIndex, kind: kind,
                    step: step, steps: steps)))
    }

    /// An artifact is complete: it is announced, once. To OpenAI's clients it is a line of text.
    func announce(_ artifact: Artifact) {
        artifactsMade += 1
        mark(\.artifactMilliseconds)
        guard let place = response?.place else { return }
        if door.sound.isOurs {
            send(
                .artifactDone(
                    ArtifactDone(
                        responseID: place.responseID, itemID: place.itemID, outputIndex: place.outputIndex,
                        artifact: artifact)))
            return
        }
        let isFirst = response?.reply.isEmpty ?? true
        let line = "\(isFirst ? "" : "\n")\(artifact.type.rawValue): \(artifact.url)"
        response?.reply += line
        if response?.modality == .audio {
            send(.outputTranscriptDelta(place, delta: line))
        } else {
            send(.outputTextDelta(place, delta: line))
        }
    }
}
