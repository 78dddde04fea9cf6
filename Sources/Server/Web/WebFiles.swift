import Foundation
import WebSockets

/// The web client's files: which paths there are is settled at the start, so that no request can name a file that is not
/// one of them. What a file holds is read when it is asked for.
struct WebFiles: Sendable {
    /// What is sent at one path.
    private struct Entry: Sendable {
        let file: String
        let contentType: String
    }

    private let entries: [String: Entry]

    /// Every file below a folder with a name that ends in a known way; hidden ones and symbolic links are passed over.
    init(folder: String) throws(ConfigurationError) {
        let root = URL(filePath: folder, directoryHint: .isDirectory).standardizedFileURL.resolvingSymlinksInPath()
        let keys: [URLResourceKey] = [.isRegularFileKey, .isSymbolicLinkKey]
        let names = FileManager.default.enumerator(
            at: root, includingPropertiesForKeys: keys, options: [.skipsHiddenFiles])
        var entries: [String: Entry] = [:]
        for case let url as URL in names ?? .init() {
            guard let values = try? url.resourceValues(forKeys: Set(keys)), values.isRegularFile == true,
                values.isSymbolicLink != true, let contentType = Self.contentTypes[url.pathExtension.lowercased()]
            else { continue }
            let path = url.path(percentEncoded: false)
            let prefix = root.path(percentEncoded: false)
            guard path.hasPrefix(prefix) else { continue }
            let name = path.dropFirst(prefix.count).drop { $0 == "/" }
            entries["/" + name] = Entry(file: path, contentType: contentType)
        }
        guard let page = entries["/index.html"] else {
            throw .file(
                folder, "server.web is to be the folder of the web client, but it holds no index.html (\"\": no page)")
        }
        entries["/"] = page
        self.entries = entries
    }

    /// The answer to a request; nil when there is no such file.
    func response(to request: HTTPRequest) -> HTTPResponse? {
        guard let entry = entries[request.path], let file = HTTPFile(path: entry.file) else { return nil }
        return HTTPResource(
            body: .file(file), contentType: entry.contentType, tag: file.tag, headers: SecurityFields.all
        ).response(to: request)
    }

    private static let contentTypes = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml", "png": "image/png", "ico": "image/vnd.microsoft.icon",
        "txt": "text/plain; charset=utf-8",
    ]
}

/// What every answer to a browser says about how its content may be used: by this server's own page, which takes nothing
/// from anywhere else and can't be put into another one's frame.
enum SecurityFields {
    static let all: [HTTPResponse.Field] = [
        .init(
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
                + "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        .init("x-content-type-options", "nosniff"),
        .init("referrer-policy", "no-referrer"),
        .init("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
        .init("cross-origin-opener-policy", "same-origin"),
        .init("cross-origin-resource-policy", "same-origin"),
    ]
}
