import Foundation
import Server
import TestDaemon
import TestSupport
import Testing

/// `anygpt` as a process whose reader goes away.
@Suite("A closed pipe", .timeLimit(.minutes(3))) struct ClosedPipeTests {
    private static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "anygpt").path
    private static let question = Golden.tests.deletingLastPathComponent()
        .appending(path: "Models/pocket/demo/question.wav").path

    /// Runs a line of bash in which `$anygpt` is the tool; what it says.
    private func run(_ line: String, in folder: URL) throws -> (output: String, complaints: String) {
        let complaints = folder.appending(path: "complaints")
        let output = Pipe.own()
        try Data().write(to: complaints)
        let error = try FileHandle(forWritingTo: complaints)
        let environment = ProcessInfo.processInfo.environment.merging(["anygpt": Self.executable]) { $1 }
        let child = try Child(
            "/bin/bash", ["-c", line], environment: environment, output: output.fileHandleForWriting, error: error)
        try output.fileHandleForWriting.close()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.wait()
        return (said, try String(contentsOf: complaints, encoding: .utf8))
    }

    @Test("ends each command without a word, with the status that a shell gives to SIGPIPE") func quietly() async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withDaemon(shippedConfiguration()) { daemon in
            let url = "--url ws://127.0.0.1:\(daemon.port)/v1/realtime"
            for pipe in [
                "\"$anygpt\" talk --file \(Self.question) \(url) --out \(folder.path)/reply.wav | head -1",
                "\"$anygpt\" ask 'what is your name' \(url) | true",
                // Nobody listens there, and nobody reads that.
                "\"$anygpt\" ask hello --url ws://127.0.0.1:1/v1/realtime 2>&1 >/dev/null | true",
            ] {
                let (said, complaints) = try run("\(pipe); echo ${PIPESTATUS[0]}", in: folder)
                #expect(said.split(separator: "\n").last == "141", "\(pipe): \(said)")
                #expect(complaints == "", "\(pipe)")
            }
        }
    }

    @Test("a full disk is a failure that is told") func full() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let models = Golden.tests.deletingLastPathComponent().appending(path: "Models/pocket/llama").path
        let (said, complaints) = try run("\"$anygpt\" inspect \(models) >/dev/full; echo $?", in: folder)
        #expect(said == "1\n" && complaints == "anygpt: standard output: No space left on device\n")
    }
}
