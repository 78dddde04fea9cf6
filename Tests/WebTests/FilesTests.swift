import Foundation
import TestSupport
import Testing
import WebSockets

@testable import Server

@Suite("The web client's files") struct FilesTests {
    private static let root = Golden.tests.deletingLastPathComponent().appending(path: "Clients/web")

    private static func ask(_ path: String, of files: WebFiles) -> HTTPResponse? {
        files.response(to: HTTPRequest(method: "GET", path: path))
    }

    @Test("every file of the page is served with its type and with the rules that keep the page to itself")
    func served() throws {
        let files = try WebFiles(folder: Self.root.path)
        for (path, type) in [
            ("/", "text/html"), ("/index.html", "text/html"), ("/style.css", "text/css"),
            ("/js/main.js", "text/javascript"), ("/icon.svg", "image/svg+xml"),
        ] {
            let response = try #require(Self.ask(path, of: files), "\(path)")
            let fields = Dictionary(response.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            #expect(response.status == 200 && fields["content-type"]?.hasPrefix(type) == true)
            #expect(fields["x-content-type-options"] == "nosniff" && fields["etag"] != nil)
            #expect(fields["content-security-policy"]?.hasPrefix("default-src 'none'; script-src 'self';") == true)
        }
    }

    @Test(
        "no request names a file outside of the folder",
        arguments: [
            "", "/..", "/../../config.toml", "/js/../../../config.toml", "//etc/passwd", "/etc/passwd", "/js", "/js/",
            "/.hidden.js", "/link.js", "/notes.md", "/%2e%2e/config.toml", "/index.html/", "/INDEX.HTML",
            "/js/main.js\u{0}",
        ])
    func nothingElse(_ path: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-web-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["index.html", ".hidden.js", "notes.md"] {
            try Data("secret".utf8).write(to: folder.appending(path: name))
        }
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "link.js"), withDestinationURL: Self.root.appending(path: "js/main.js"))
        let files = try WebFiles(folder: folder.path)
        #expect(Self.ask(path, of: files) == nil)
        #expect(Self.ask("/", of: files) != nil)
    }

    @Test("a folder that holds no page stops the start with a line that names the key") func missing() {
        let error = #expect(throws: ConfigurationError.self) { try WebFiles(folder: "/no/such/folder") }
        #expect(error?.description.contains("server.web") == true)
    }

    @Test("a certificate alone, or a key alone, stops the start") func halfTLS() throws {
        for (certificate, key, missing) in [("a.pem", "", "private_key"), ("", "a.pem", "certificate")] {
            var server = Configuration.Server()
            (server.certificate, server.privateKey) = (certificate, key)
            let error = #expect(throws: WebSocketError.self) { _ = try server.tls }
            #expect(error?.description.hasSuffix("server.\(missing) is not") == true)
        }
        #expect(try Configuration.Server().tls == nil)
    }
}
