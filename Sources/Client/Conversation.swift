import Audio
import Synchronization
import Wire

/// A conversation with the daemon: turns are spoken one after the other, each when the answer before it has been heard.
public struct Conversation: Sendable {
    private let client: RealtimeClient
    private let request: ResponseParameters
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    /// When the last answer will have been heard to its end.
    private var soundEnds = Duration.zero

    /// The conversation of a new session.
    ///
    /// - Parameter request: what each turn is to be answered with, where the client ends it.
    public init(_ client: RealtimeClient, request: ResponseParameters = ResponseParameters()) {
        self.client = client
        self.request = request
        start = clock.now
    }

    /// Speaks, at the speed of real time, and listens until everything is answered.
    ///
    /// - Parameters:
    ///   - source: what is spoken. A long pause in it may make it several turns; then the answer to each but the last is
    ///     interrupted.
    ///   - show: is told what comes, as it comes, one call at a time.
    /// - Returns: the turns, at least one, in order; the times of all turns of the conversation count from one moment.
    /// - Throws: `ClientError`; `CancellationError`.
    public mutating func speak(
        _ source: some SpeechSource, show: @escaping @Sendable (TurnLedger.Update) -> Void = { _ in }
    ) async throws -> [TurnReport] {
        // Whoever speaks earlier interrupts, and what was not heard is cut from the conversation.
        try await clock.sleep(until: start.advanced(by: soundEnds))
        let ledger = SharedLedger()
        let sender = SpeechSender(
            clock: clock, start: start, turnEnd: client.turnEnd, silenceLimit: client.silenceLimit, ledger: ledger,
            request: request, sendPacket: { [client] in await client.send(packet: $0) },
            sendEvent: { [client] in client.send($0) })
        try await withThrowingTaskGroup(of: Void.self) { [client, clock, start] group in
            group.addTask {
                try await Self.listen(to: client, ledger, now: { start.duration(to: clock.now) }, show)
            }
            group.addTask {
                // When the connection is over the listener is told how it ended.
                _ = try await sender.send(source)
            }
            defer { group.cancelAll() }
            // Either may find out first that all is answered.
            while try await group.next() != nil {
                if ledger.state.withLock({ $0.isSettled }) { break }
            }
        }
        return ledger.state.withLock { ledger in
            soundEnds = ledger.soundEnds
            return ledger.turns
        }
    }

    private static func listen(
        to client: RealtimeClient, _ ledger: SharedLedger, now: () -> Duration,
        _ show: @Sendable (TurnLedger.Update) -> Void
    ) async throws {
        let sound = try ReplySound()
        while !ledger.state.withLock({ $0.isSettled }) {
            switch try await client.next() {
            case .event(let event):
                let time = now()
                for update in try ledger.state.withLock({ try $0.take(event, at: time) }) { show(update) }
            case .audio(let frame):
                let time = now()
                let before = sound.concealedPackets
                let samples = try sound.decode(frame)
                ledger.state.withLock {
                    $0.tookPacket(samples: samples.count, concealed: sound.concealedPackets - before, at: time)
                }
                show(.sound(samples))
            }
        }
    }
}

extension RealtimeClient {
    /// How much silence is sent at most: what the server waits for, and a generous while more.
    var silenceLimit: Duration {
        switch session.turnDetection {
        case .serverVAD(let settings): .milliseconds(settings.silenceDurationMilliseconds) + .seconds(10)
        case .semanticVAD(let settings): settings.maximumWait + .seconds(10)
        case nil: .seconds(10)
        }
    }
}
