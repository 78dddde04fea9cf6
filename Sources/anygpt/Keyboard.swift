import Dispatch
import Foundation
import Synchronization

/// The terminal's keyboard, key by key: nothing is echoed and no line is waited for. What the terminal was like is put
/// back however the program ends.
enum Keyboard {
    /// What the terminal was like, while it is not.
    private static let saved = Mutex<termios?>(nil)

    /// Whether there is one.
    static let isThere = isatty(STDIN_FILENO) == 1

    /// The keys that are pressed from now on, until `restore`. At most 64 wait; of more the oldest are dropped.
    static func keys() -> AsyncStream<UInt8> {
        let (keys, continuation) = AsyncStream<UInt8>.makeStream(bufferingPolicy: .bufferingNewest(64))
        guard isThere, takeOver() else {
            // A stream that never has anything, rather than one that ends.
            return keys
        }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: STDIN_FILENO, queue: DispatchQueue(label: "keyboard"))
        source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            guard count > 0 else { return source.cancel() }
            for key in buffer[..<count] { continuation.yield(key) }
        }
        source.resume()
        return keys
    }

    private static func takeOver() -> Bool {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return false }
        let isFirst = saved.withLock { saved in
            defer { saved = saved ?? mode }
            return saved == nil
        }
        if isFirst { atexit { Keyboard.restore() } }
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // Ctrl-C ends the conversation in order; what would stop the program without a word is off meanwhile.
        withUnsafeMutableBytes(of: &mode.c_cc) { characters in
            characters[Int(VQUIT)] = 0
            characters[Int(VSUSP)] = 0
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        return tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0
    }

    /// Puts back what the terminal was like. May be called at any time, from any thread.
    static func restore() {
        saved.withLock { saved in
            guard var mode = saved else { return }
            tcsetattr(STDIN_FILENO, TCSANOW, &mode)
            saved = nil
        }
    }
}
