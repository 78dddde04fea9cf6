internal import CPulse

/// A microphone and a loudspeaker of the sound server, for a conversation: sound comes in and goes out at the same time,
/// mono, in `Float`, with short buffers. What is gone (a server, a device) is reported and reached again.
///
/// Both streams run as long as the duplex lives; when there is nothing to be played, silence is.
public final class PulseDuplex: Sendable {
    /// What was asked for.
    public let settings: PulseSettings
    /// What happens, as it happens. One reader; of events that wait, the 32 newest are kept.
    public let events: AsyncStream<PulseEvent>

    private let link: PulseLink

    /// Begins to connect; the first event tells what came of it.
    public init(_ settings: PulseSettings) throws(PulseError) {
        precondition(settings.captureRate > 0 && settings.playbackRate > 0 && settings.latency > .zero)
        self.settings = settings
        let (events, continuation) = AsyncStream<PulseEvent>.makeStream(bufferingPolicy: .bufferingNewest(32))
        self.events = events
        link = PulseLink(settings, loop: try Mainloop()) { event in
            if let event { continuation.yield(event) } else { continuation.finish() }
        }
        link.open()
    }

    deinit { link.close() }

    /// The next captured samples, as many as asked for; nil when the duplex is closed or the task is cancelled. Waits for as
    /// long as there is no source: for ever, when it was told to listen to none. One reader.
    public func hear(_ count: Int) async -> [Float]? { await link.capture.next(count) }

    /// Captured samples that nobody took in time.
    public var droppedSamples: Int { link.capture.dropped }

    /// Puts samples behind those that wait to be played; waits when too many do. Returns the place of the first one on the
    /// track of all that was ever put in; nil when the duplex is closed or the task is cancelled. One writer.
    public func play(_ samples: [Float]) async -> Int? { await link.playback.add(samples) }

    /// Up to where the track was heard, by what the server says of its buffers and the device's, and how long it is.
    public var position: (heard: Int, total: Int) { link.position() }

    /// Stops the sound at once and throws away what was not heard. Returns up to where the track was.
    public func flush() -> Int { link.flush() }

    /// How long sound takes from the source to the program, and from the program to the sink; nil for a stream that does not
    /// run, or of which the server has not told yet.
    public func latency(_ direction: PulseDirection) -> Duration? { link.latency(direction) }

    /// Lets go of the server. Whoever waits for something gets nil.
    public func close() { link.close() }
}
