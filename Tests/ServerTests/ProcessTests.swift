import Foundation
import TestSupport
import Testing
import WebSockets

/// `anygptd` as a process: how it starts, refuses to, and ends.
@Suite("The anygptd process", .serialized) struct ProcessTests {
    /// Beside the bundle of tests.
    static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "anygptd")

    private func launch(_ configuration: String) throws -> (Process, Pipe) {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = ["--config", configuration]
        let output = Pipe()
        process.standardError = output
        process.standardOutput = output
        try process.run()
        return (process, output)
    }

    @Test("SIGTERM says goodbye to who is connected, and ends with 0 within five seconds") func sigterm() async throws {
        try await withConfiguration([("port = 8787", "port = 0")]) { file in
            let (process, output) = try launch(file)
            defer { if process.isRunning { process.terminate() } }
            var log = ""
            var port: UInt16?
            while port == nil {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { break }
                log += String(decoding: data, as: UTF8.self)
                port = log.firstMatch(of: /ws:\/\/127\.0\.0\.1:(\d+)/).flatMap { UInt16($0.1) }
            }
            let connection = try await WebSocketClient.connect(
                url: "ws://127.0.0.1:\(try #require(port, "\(log)"))/v1/realtime")
            let clock = ContinuousClock()
            let start = clock.now
            process.terminate()
            for await message in connection.messages {
                if case .closed(let closure) = message { #expect(closure.code == .goingAway) }
            }
            process.waitUntilExit()
            #expect(clock.now - start < .seconds(5))
            #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
        }
    }

    @Test(
        "what stops the start is said in one line, with file, line, key and what was expected",
        arguments: [
            ("port = 8787", "port = \"http\"", "server.port", 78), ("port = 8787", "prot = 8787", "did you mean", 78),
            ("silence_ms = 500", "silence_ms = -1", "turn.silence_ms", 78),
            ("Models/pocket/llama", "Models/nowhere", "Models/nowhere", 66),
            ("Models/pocket/voice.wav", "Models/nowhere.wav", "Models/nowhere.wav", 66),
        ])
    func refusals(_ old: String, _ new: String, _ expected: String, _ status: Int32) async throws {
        try await withConfiguration([(old, new)]) { file in
            let (process, output) = try launch(file)
            let log = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == status && process.terminationReason == .exit, "\(log)")
            let last = log.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("anygptd: ") && last.contains(expected), "\(log)")
        }
    }
}
