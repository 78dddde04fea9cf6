import Foundation

/// The repository's `config.toml` with some text changed, in a file of its own; its paths lead to the repository.
public func withConfiguration<Result>(
    _ changes: [(String, String)] = [], _ body: (String) async throws -> Result
) async throws -> Result {
    let root = Golden.tests.deletingLastPathComponent()
    var text = try String(contentsOf: root.appending(path: "config.toml"), encoding: .utf8)
    let paths = ["Models/", "Clients/"].map { ("\"\($0)", "\"\(root.path)/\($0)") }
    for (old, new) in changes + paths {
        guard text.contains(old) else { throw MissingText(text: old) }
        text = text.replacingOccurrences(of: old, with: new)
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "anygptd-\(UUID().uuidString).toml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await body(file.path)
}

/// A text that a test wanted to change is not in `config.toml`.
public struct MissingText: Error {
    /// The text.
    public let text: String
}
