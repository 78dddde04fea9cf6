import Foundation
import Synchronization

/// A real `pulseaudio` for one test: with a folder, a home and a socket of its own, and no devices but those that the test
/// asks for. It ends with the test.
public final class SoundServer: Sendable {
    /// Why a test cannot have one.
    public struct Failure: Error, CustomStringConvertible {
        /// One line.
        public let description: String

        /// A failure with its line.
        public init(_ description: String) { self.description = description }
    }

    /// A null sink: what is played to it comes out of `NAME.monitor`, at the speed of real time.
    public struct Sink: Sendable {
        let name: String
        let rate: Int

        /// A mono sink in Float of this rate, so that equal samples stay equal.
        public init(_ name: String, rate: Int) {
            self.name = name
            self.rate = rate
        }

        /// What `pactl load-module` is told.
        public var arguments: [String] {
            ["module-null-sink", "sink_name=\(name)", "format=float32le", "rate=\(rate)", "channels=1"]
        }

        var module: String { arguments.joined(separator: " ") }
    }

    /// Where clients find it: what `PULSE_SERVER` takes.
    public var address: String { "unix:\(folder.path)/native" }

    private let folder: URL
    private let sinks: [Sink]
    private let modules: [String]
    private let running = Mutex<Child?>(nil)

    /// Starts a server with these sinks and whatever other modules.
    public init(_ sinks: [Sink], modules: [String] = []) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "anygpt-pulse-\(UUID().uuidString.prefix(8))")
        self.sinks = sinks
        self.modules = modules
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"] {
            environment[name] = folder.path
        }
        environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        environment["PULSE_SERVER"] = nil
        return environment
    }

    private static func tool(_ name: String) throws -> String {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin"] {
            if FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") { return "\(folder)/\(name)" }
        }
        throw Failure("there is no \(name) on this machine: run Scripts/dependencies.sh test")
    }

    /// Starts it, again after `kill`, and returns when it answers.
    public func start() throws {
        let loaded =
            ["module-native-protocol-unix socket=\(folder.path)/native auth-anonymous=1"] + sinks.map(\.module)
            + modules
        let process = try Child(
            Self.tool("pulseaudio"),
            [
                "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit=yes",
                "--log-level=error", "--log-target=file:\(folder.path)/log",
            ] + loaded.flatMap { ["-L", $0] }, environment: environment)
        running.withLock { $0 = process }
        let end = Date(timeIntervalSinceNow: 20)
        while Date() < end, process.isRunning {
            if (try? control(["info"])) != nil { return }
            Thread.sleep(forTimeInterval: 0.05)
        }
        let log = (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? ""
        throw Failure("pulseaudio does not start: \(log)")
    }

    /// Ends it as a crash would.
    public func kill() {
        running.withLock { process in
            process?.end(SIGKILL)
            process = nil
        }
    }

    /// Runs `pactl`; returns what it prints.
    @discardableResult
    public func control(_ arguments: [String]) throws -> String {
        let output = Pipe.own()
        let process = try client("pactl", arguments, output: output.fileHandleForWriting)
        try output.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        guard process.wait() == 0 else {
            throw Failure("pactl \(arguments.joined(separator: " ")) fails")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Plays samples of a rate to a sink, at the speed of real time, and a quarter of a second of silence before and after
    /// them: of what a stream begins with a null sink's monitor loses some.
    public func play(_ samples: [Float], rate: Int, to sink: String) async throws {
        let input = Pipe.own()
        let process = try client(
            "pacat",
            [
                "--playback", "--device=\(sink)", "--format=float32le", "--rate=\(rate)", "--channels=1", "--raw",
                "--latency-msec=50",
            ], input: input.fileHandleForReading)
        let silence = [Float](repeating: 0, count: rate / 4)
        let data = (silence + samples + silence).withUnsafeBytes { Data($0) }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread {
                try? input.fileHandleForWriting.write(contentsOf: data)
                try? input.fileHandleForWriting.close()
                process.wait()
                continuation.resume()
            }
        }
    }

    /// What comes out of a source from now on, until the recording is told to end.
    public func record(_ source: String, rate: Int) throws -> Recording {
        let file = folder.appending(path: "recording-\(UUID().uuidString.prefix(8)).raw")
        let process = try client(
            "parec",
            [
                "--device=\(source)", "--format=float32le", "--rate=\(rate)", "--channels=1", "--raw",
                "--latency-msec=20", file.path,
            ])
        let recording = Recording(process, file)
        let end = Date(timeIntervalSinceNow: 20)
        while recording.samples.isEmpty {
            guard Date() < end, process.isRunning else { throw Failure("nothing comes out of \(source)") }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return recording
    }

    private func client(
        _ name: String, _ arguments: [String], input: FileHandle? = nil, output: FileHandle? = nil
    ) throws -> Child {
        try Child(
            Self.tool(name), arguments, environment: environment.merging(["PULSE_SERVER": address]) { _, new in new },
            input: input, output: output)
    }

    /// A source that is being recorded.
    public final class Recording {
        private let process: Child
        private let file: URL

        init(_ process: Child, _ file: URL) {
            self.process = process
            self.file = file
        }

        /// What was recorded so far.
        public var samples: [Float] {
            guard let data = try? Data(contentsOf: file) else { return [] }
            return data.withUnsafeBytes { bytes in
                (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
        }

        /// Ends it; returns all of it.
        public func stop() -> [Float] {
            process.end()
            return samples
        }
    }
}
