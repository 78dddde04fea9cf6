import Foundation

/// Certificates for tests, made on the spot by the `openssl` program.
public enum Certificates {
    /// openssl did not do what it was asked for.
    public struct Failure: Error {
        /// What it was asked for.
        public let arguments: [String]
    }

    /// A certificate for `localhost` and 127.0.0.1 that nobody vouches for, and its key: `certificate.pem` and `key.pem`.
    public static func makeSelfSigned(in folder: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder + "/key.pem",
            "-out", folder + "/certificate.pem")
    }

    /// Runs the program.
    public static func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
    }

    /// A folder for the body, gone after it.
    public static func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let folder = NSTemporaryDirectory() + "anygpt-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }
}
