import Audio
import Dispatch
import Foundation
import Synchronization

/// Speech that comes through a pipe while it is spoken: raw little-endian 16-bit samples, mono.
///
/// Nothing is read ahead of what is asked for, so the pipe itself is the only queue.
public final class PipedSpeech: SpeechSource {
    private struct State {
        var reader = PCM16Reader()
        var resampler: Resampler?
        var samples: [Float] = []
        var isAtEnd = false
    }

    private let descriptor: Int32
    private let rate: Int
    /// Only `next` touches it, and `next` has one caller; the lock says so to the compiler.
    private let state: Mutex<State>
    private let isCancelled = Atomic(false)
    private let queue = DispatchQueue(label: "piped-speech")

    /// Speech from an open descriptor, which stays the caller's.
    public init(descriptor: Int32, sampleRate rate: Int) throws(ClientError) {
        self.descriptor = descriptor
        self.rate = rate
        var state = State()
        if rate != SpeechRate.samples {
            do {
                state.resampler = try Resampler(from: rate, to: SpeechRate.samples)
            } catch {
                throw .sound("\(error)")
            }
        }
        self.state = Mutex(state)
    }

    /// The next samples; waits for them in a thread of Dispatch's.
    public func next(_ count: Int) async throws -> [Float] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.async { [self] in continuation.resume(with: Result { try take(count) }) }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }

    /// What has not been spoken yet may be anything.
    public var isKnownToBeSilent: Bool { false }

    /// It is being spoken.
    public var isLive: Bool { true }

    private func take(_ count: Int) throws -> [Float] {
        try state.withLock { state in
            while state.samples.count < count, !state.isAtEnd {
                let bytes = try read()
                let samples = state.reader.read(bytes)
                state.isAtEnd = bytes.isEmpty
                if let resampler = state.resampler {
                    state.samples += state.isAtEnd ? try resampler.finish() : try resampler.process(samples)
                } else {
                    state.samples += samples
                }
            }
            defer { state.samples.removeFirst(min(count, state.samples.count)) }
            return Array(state.samples.prefix(count))
        }
    }

    /// The next bytes, none at the end. A frame of 20 ms at most, so that no more is waited for than is needed.
    private func read() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: max(2, rate / 50 * 2))
        while true {
            if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, 100)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count >= 0 { return Array(buffer[..<count]) }
            guard errno == EINTR || errno == EAGAIN else {
                throw ClientError.sound("cannot read the speech: \(String(cString: strerror(errno)))")
            }
        }
    }
}
