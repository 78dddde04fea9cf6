import Foundation
import WebSockets

/// `/about`: what a person who is about to talk to the daemon may want to know.
struct AboutPage: Sendable {
    /// What is told.
    private struct About: Encodable {
        let model: String
        let version: String
        let greeting: [String]
        let makes: [String]
    }

    private let body: [UInt8]

    /// - Parameter greeting: what the model's makers say of it, line by line; a line that begins with "Try:" lists
    ///   questions, with commas between them.
    /// - Parameter makes: what the model can make beside words: "image", "music".
    init(model: String, version: String, greeting: [String], makes: [String] = []) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts alone can always be encoded.
        let about = About(model: model, version: version, greeting: greeting, makes: makes)
        body = (try? encoder.encode(about)).map(Array.init) ?? []
    }

    /// The answer to a request.
    func response(to request: HTTPRequest) -> HTTPResponse {
        HTTPResource(body: .bytes(body[...]), contentType: "application/json", headers: SecurityFields.all)
            .response(to: request)
    }
}
