import Foundation
import Wire

/// One written question to the daemon, with what is shown or played to the model, and what it should make.
public struct WrittenRequest: Sendable {
    /// The question.
    public var text = ""
    /// A picture file's bytes that are shown before it.
    public var picture: [UInt8]?
    /// A sound file's bytes that are played before it.
    public var music: [UInt8]?
    /// What is to be made instead of an answer in words.
    public var artifact: ArtifactRequest?
    /// Whether the text is to be read aloud, rather than answered.
    public var isReadAloud = false

    /// A question, and what is shown or played before it or to be made of it.
    public init(
        _ text: String = "", picture: [UInt8]? = nil, music: [UInt8]? = nil, artifact: ArtifactRequest? = nil
    ) {
        (self.text, self.picture, self.music, self.artifact) = (text, picture, music, artifact)
    }
}

extension RealtimeClient {
    /// What comes of a written question, in order.
    public enum AnswerUpdate: Sendable, Equatable {
        /// More of the answer's text.
        case text(String)
        /// The next piece of speech, at `ReplySound.sampleRate`.
        case sound([Float])
        /// An artifact, of a kind that older daemons do not tell, is being made: so many of so many steps.
        case progress(Artifact.Kind?, step: Int, steps: Int)
        /// An artifact is complete.
        case artifact(Artifact)
        /// When the daemon had done what.
        case timing(ResponseTiming)
    }

    /// Asks, and tells what comes until the answer is complete. The session must be one in which the client ends turns.
    public func ask(_ request: WrittenRequest, show: (AnswerUpdate) async throws -> Void) async throws {
        var content: [ContentPart] = []
        if let picture = request.picture {
            await send(upload: picture, number: 1)
            content.append(.inputImage(.upload(1), detail: nil))
        }
        if let music = request.music {
            await send(upload: music, number: 2)
            content.append(.inputMusic(upload: 2))
        }
        if !request.text.isEmpty { content.append(.inputText(request.text)) }
        send(.conversationItemCreate(after: nil, item: .message(role: .user, content: content)))
        var parameters = ResponseParameters()
        parameters.outputModality = request.isReadAloud ? .audio : .text
        parameters.task = request.isReadAloud ? .readAloud : nil
        parameters.artifact = request.artifact
        send(.responseCreate(parameters))
        let sound = try ReplySound()
        while true {
            let event: ServerEvent
            switch try await next() {
            case .event(let received): event = received
            case .audio(let frame):
                try await show(.sound(try sound.decode(frame)))
                continue
            }
            switch event {
            case .outputTextDelta(_, let delta): try await show(.text(delta))
            case .artifactProgress(let progress):
                try await show(.progress(progress.kind, step: progress.step, steps: progress.steps))
            case .artifactDone(let done): try await show(.artifact(done.artifact))
            case .responseTiming(let timing): try await show(.timing(timing))
            case .error(let error): throw ClientError.server(error)
            case .responseDone(let response):
                guard response.status == .completed else {
                    let reason = response.statusDetails?.error?.code ?? response.statusDetails?.reason
                    throw ClientError.unanswered(status: response.status.rawValue, reason: reason)
                }
                return
            default: break
            }
        }
    }
}
