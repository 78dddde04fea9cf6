import Foundation
import Synchronization
import TestSupport
import Testing

/// `anygptd` as a service manager starts it: with a notify socket, watchdog times and a listening socket in its
/// environment and its descriptors, which Foundation's `Process` cannot hand on.
final class Launched: Sendable {
    let process: pid_t
    /// What it writes, both outputs.
    private let output: URL
    /// Set when it was collected.
    private let ending = Mutex<End?>(nil)

    struct Failure: Error { var code: Int32 }

    /// How it ended.
    struct End: Equatable {
        /// The exit status; nil when a signal ended it.
        var status: Int32?
        /// The signal that ended it.
        var signal: Int32?
        /// What it wrote.
        var log = ""
    }

    /// Beside the bundle of tests.
    static let daemon = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "anygptd")

    /// - Parameters:
    ///   - environment: variables beside this process's own; `$$` in a value is the new process.
    ///   - socket: a descriptor that becomes number 3.
    init(_ arguments: [String], environment: [String: String] = [:], socket: Int32? = nil) throws {
        output = FileManager.default.temporaryDirectory.appending(path: "anygptd-\(UUID().uuidString).log")
        // The shell knows its number before it becomes the daemon.
        let variables = environment.map { "export \($0)=\"\($1)\"; " }.joined()
        let words = ([Self.daemon.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.path, O_CREAT | O_WRONLY | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        if let socket { posix_spawn_file_actions_adddup2(&actions, socket, 3) }
        let command: [String] = ["sh", "-c", variables + "exec " + words]
        let line: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in line { free(word) } }
        var process = pid_t()
        let status = posix_spawn(&process, "/bin/sh", &actions, nil, line, environ)
        guard status == 0 else { throw Failure(code: status) }
        self.process = process
    }

    deinit { end(within: 0) }

    func send(_ signal: Int32) { if isRunning { kill(process, signal) } }

    /// Whether it has not ended.
    var isRunning: Bool {
        var information = siginfo_t()
        // Does not collect it. Where there is none, the number that is asked for stays 0.
        return ending.withLock { $0 == nil }
            && waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT) == 0
            && information._sifields._kill.si_pid == 0
    }

    /// Waits for its end, and kills it when that has not come in this time; blocks its thread.
    @discardableResult
    func end(within seconds: Double = 60) -> End {
        let limit = Date(timeIntervalSinceNow: seconds)
        while isRunning, Date() < limit { Thread.sleep(forTimeInterval: 0.02) }
        return ending.withLock { ending in
            if let ending { return ending }
            kill(process, SIGKILL)
            var status: Int32 = 0
            guard waitpid(process, &status, 0) == process else { return End() }
            let log = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            try? FileManager.default.removeItem(at: output)
            let signal = status & 0x7F
            let end = End(
                status: signal == 0 ? (status >> 8) & 0xFF : nil, signal: signal == 0 ? nil : signal, log: log)
            ending = end
            return end
        }
    }
}
