import Foundation
import Synchronization

/// A process that a test starts. Foundation's waits for its end by a descriptor that the process inherits, and waits for
/// ever when one closes those that it does not know, as `pulseaudio` does.
public final class Child: Sendable {
    /// Its number.
    public let identifier: pid_t
    /// How it ended, as `waitpid` has it; nil while it runs.
    private let ending = Mutex<Int32?>(nil)

    /// Starts a program.
    /// - Parameters:
    ///   - input: what it reads from; nil is an empty file.
    ///   - output: where it writes to; nil throws it away.
    ///   - error: where it complains to; nil throws it away.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = ProcessInfo.processInfo.environment,
        input: FileHandle? = nil, output: FileHandle? = nil, error: FileHandle? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, handle, mode) in [(0, input, O_RDONLY), (1, output, O_WRONLY), (2, error, O_WRONLY)] {
            if let handle {
                posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, Int32(target))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", mode, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test's own signal mask and ignored signals are not the program's.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var strings = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for string in strings + variables { free(string) } }
        var identifier = pid_t()
        let code = posix_spawn(&identifier, program, &actions, &attributes, &strings, &variables)
        guard code == 0 else {
            throw CocoaError(.executableNotLoadable, userInfo: [NSFilePathErrorKey: program])
        }
        self.identifier = identifier
    }

    deinit { end(SIGKILL) }

    /// Whether it runs.
    public var isRunning: Bool { collect(WNOHANG) == nil }

    /// Waits for its end. The exit status; that of a signal is negative.
    @discardableResult
    public func wait() -> Int32 {
        while true {
            guard let status = collect(0) else { continue }
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : -signal
        }
    }

    /// Sends a signal, if it runs.
    public func send(_ signal: Int32) {
        if isRunning { kill(identifier, signal) }
    }

    /// Sends a signal and waits for its end.
    @discardableResult
    public func end(_ signal: Int32 = SIGTERM) -> Int32 {
        send(signal)
        return wait()
    }

    private func collect(_ options: Int32) -> Int32? {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            if waitpid(identifier, &status, options) == identifier { ending = status }
            return ending
        }
    }
}

extension Pipe {
    /// A pipe whose ends are not inherited: a reader sees its end when the writer that was given to a `Child` is gone.
    public static func own() -> Pipe {
        let pipe = Pipe()
        for end in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        return pipe
    }
}
