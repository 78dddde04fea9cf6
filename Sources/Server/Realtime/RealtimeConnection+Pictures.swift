import AnyGPT
import Foundation
import Images
import Wire

extension RealtimeConnection {
    /// The tokens of a picture that was shown in a message: a data URI.
    func look(at url: String) async throws -> [Int32] {
        guard let uri = DataURI(url) else {
            throw WireError(
                .invalidValue, "A picture comes as a data URI with base64 (data:image/png;base64,…), or as an upload.",
                param: "item.content.image_url")
        }
        return try await look(at: uri.bytes, param: "item.content.image_url")
    }

    /// The tokens of a picture that was sent as a file; the file is then forgotten.
    func look(atUpload number: UInt32) async throws -> [Int32] {
        let path = try uploads.path(number)
        defer { uploads.forget(number) }
        return try await look(at: [UInt8](Data(contentsOf: URL(filePath: path))), param: "item.content.upload")
    }

    private func look(at file: [UInt8], param: String) async throws -> [Int32] {
        guard services.engine.seed != nil else {
            throw WireError(.imagesUnavailable, "\(PicturesUnavailable.seeing)", param: param)
        }
        do {
            let image = try await PictureFiles.shared.decode(file, limits: services.configuration.image.limits)
            return try await session.look(at: image)
        } catch let error as ImageFileError {
            throw WireError(.invalidValue, "The picture cannot be seen: \(error)", param: param)
        }
    }

    /// The rules of a picture that was asked for.
    func pictureRules(_ request: ArtifactRequest) throws -> AnswerRules {
        guard services.engine.unclip != nil else {
            throw WireError(
                .imagesUnavailable, "\(PicturesUnavailable.drawing)", param: "response.artifact.type")
        }
        guard request.format ?? "png" == "png" else {
            throw WireError(
                .invalidValue, "The format \"\(request.format?.prefix(40) ?? "")\" is not png.",
                param: "response.artifact.format")
        }
        guard request.seconds == nil else {
            throw WireError(.invalidValue, "A picture has no length.", param: "response.artifact.seconds")
        }
        return .picture
    }

    /// A picture is complete.
    func finish(_ picture: Picture) async throws {
        guard let store = services.artifacts, response?.stopReason == nil else { return }
        let prompt = artifactPrompt
        let text: [(keyword: String, text: String)] = [
            ("Title", String(prompt.prefix(200))), ("Software", "anygptd \(Daemon.version)"),
            ("Prompt", String(prompt.prefix(1000))), ("Model", services.artifactModelName),
            ("Seed", "\(picture.seed)"), ("Tokens", picture.codes.map(String.init).joined(separator: " ")),
        ].filter { !$0.1.isEmpty }
        let artifact = try await PictureFiles.shared.keep(picture.image, text: text, in: store)
        // Stopped meanwhile: nobody was told of it, and nobody will be.
        guard response?.stopReason == nil else { return store.forget(artifact) }
        announce(artifact)
    }
}
