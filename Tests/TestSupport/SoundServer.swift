import Foundation
import Synchronization

/// A real sound server for one test: with a folder, a home and a socket of its own, and no devices but those that the test
/// asks for. It ends with the test.
public final class SoundServer: Sendable {
    /// The programs that speak PulseAudio's protocol.
    public enum Kind: String, CaseIterable, Sendable, CustomStringConvertible {
        /// `pulseaudio`.
        case pulseAudio
        /// `pipewire`, `wireplumber`, which links its streams to devices, and `pipewire-pulse`.
        case pipeWire

        /// As a test's output has it.
        public var description: String { self == .pulseAudio ? "PulseAudio" : "PipeWire" }
    }

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

    let kind: Kind
    let folder: URL
    private let sinks: [Sink]
    private let modules: [String]
    private let clock: Int
    private let running = Mutex<[Child]>([])

    /// Starts a server with these sinks and whatever other modules.
    /// - Parameter clock: the rate at which PipeWire mixes everything: streams and devices of this rate are not resampled.
    public init(_ kind: Kind, _ sinks: [Sink], modules: [String] = [], clock: Int = 24_000) throws {
        self.kind = kind
        self.clock = clock
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
        for name in [
            "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "PIPEWIRE_RUNTIME_DIR",
            "PULSE_RUNTIME_PATH",
            "PULSE_STATE_PATH",
        ] {
            environment[name] = folder.path
        }
        environment["DBUS_SESSION_BUS_ADDRESS"] = kind == .pipeWire ? bus : "disabled:"
        environment["PULSE_SERVER"] = nil
        return environment
    }

    private var bus: String { "unix:path=\(folder.path)/bus" }

    private static func tool(_ name: String) throws -> String {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin"] {
            if FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") { return "\(folder)/\(name)" }
        }
        throw Failure("there is no \(name) on this machine: run Scripts/dependencies.sh test")
    }

    /// Starts it, again after `kill`, and returns when it answers.
    public func start() throws {
        switch kind {
        case .pulseAudio: try startPulseAudio()
        case .pipeWire: try startPipeWire()
        }
    }

    private func startPulseAudio() throws {
        let loaded =
            ["module-native-protocol-unix socket=\(folder.path)/native auth-anonymous=1"] + sinks.map(\.module)
            + modules
        try run(
            "pulseaudio",
            [
                "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit=yes",
                "--log-level=error",
            ] + loaded.flatMap { ["-L", $0] })
        try wait("answers") { (try? control(["info"])) != nil }
    }

    /// Its three programs, as a desktop's session starts them, and the bus without which WirePlumber ends.
    private func startPipeWire() throws {
        let settings = folder.appending(path: "pipewire/pipewire.conf.d")
        try FileManager.default.createDirectory(at: settings, withIntermediateDirectories: true)
        try Data("context.properties = { default.clock.rate = \(clock) }\n".utf8).write(
            to: settings.appending(path: "clock.conf"))
        for (name, arguments, socket) in [
            ("dbus-daemon", ["--session", "--nofork", "--nopidfile", "--address=\(bus)"], "bus"),
            ("pipewire", [], "pipewire-0"), ("wireplumber", [], nil), ("pipewire-pulse", [], "native"),
        ] as [(String, [String], String?)] {
            let path = socket.map { folder.appending(path: $0).path }
            if let path { unlink(path) }
            try run(name, arguments)
            if let path { try wait("has its socket") { FileManager.default.fileExists(atPath: path) } }
        }
        for module in sinks.map(\.module) + modules {
            try control(["load-module"] + module.split(separator: " ").map(String.init))
        }
        // WirePlumber chooses the defaults: when there is one, it is at work.
        try wait("chooses a device") { try !control(["info"]).contains("Default Sink: @DEFAULT_SINK@") }
    }

    private func run(_ name: String, _ arguments: [String]) throws {
        let log = folder.appending(path: "\(name).log").path
        guard FileManager.default.createFile(atPath: log, contents: nil), let error = FileHandle(forWritingAtPath: log)
        else { throw Failure("cannot write \(log)") }
        let process = try Child(Self.tool(name), arguments, environment: environment, output: error, error: error)
        running.withLock { $0.append(process) }
    }

    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        let end = Date(timeIntervalSinceNow: 20)
        while Date() < end, running.withLock({ $0.allSatisfy(\.isRunning) }) {
            if try condition() { return }
            Thread.sleep(forTimeInterval: 0.02)
        }
        let logs = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).filter {
            $0.pathExtension == "log"
        }
        let lines = try logs.map { "\($0.lastPathComponent): \(try String(contentsOf: $0, encoding: .utf8))" }
        throw Failure("no \(kind) that \(what): \(lines.joined())")
    }

    /// Ends it as a crash would.
    public func kill() {
        running.withLock { processes in
            for process in processes.reversed() { process.end(SIGKILL) }
            processes = []
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
