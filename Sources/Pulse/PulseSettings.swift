/// What a duplex asks of the sound server.
public struct PulseSettings: Sendable, Equatable {
    /// The server, as `PULSE_SERVER` has it; nil takes the one that libpulse finds by itself.
    public var server: String?
    /// Whether there is a source at all; without one nothing is captured, and only the sink's events come.
    public var listens = true
    /// The source to listen to, by its name; nil takes the server's default, and follows it.
    public var source: String?
    /// The sink to play to, by its name; nil takes the server's default, and follows it.
    public var sink: String?
    /// How the program is called in a mixer.
    public var applicationName: String
    /// Samples a second that are captured; the server converts.
    public var captureRate = 16_000
    /// Samples a second that are played; the server converts.
    public var playbackRate = 24_000
    /// How long sound may wait in the server's buffers, each way. Shorter is asked for in vain of many devices.
    public var latency = Duration.milliseconds(20)
    /// Asks the server to take what is played out of what is captured.
    public var cancelsEcho = true
    /// Captured sound that waits to be taken. When it is full the oldest is dropped, and counted.
    public var captureCapacity = Duration.seconds(1)
    /// Sound that waits to be played. When it is full, `play` waits.
    public var playbackCapacity = Duration.seconds(60)
    /// The first and the longest pause before another attempt to reach what is gone.
    public var retries = Duration.milliseconds(100)...Duration.seconds(5)

    /// The settings of a conversation, for a program of this name.
    public init(applicationName: String) { self.applicationName = applicationName }

    /// The ways that sound goes.
    var directions: [PulseDirection] { listens ? [.capture, .playback] : [.playback] }

    /// The device that is asked for by its name.
    func device(_ direction: PulseDirection) -> String? { direction == .capture ? source : sink }
}

/// One of the two ways that sound goes.
public enum PulseDirection: String, Sendable, CaseIterable {
    /// From a source, such as a microphone.
    case capture
    /// To a sink, such as loudspeakers.
    case playback
}

/// What happens to a duplex.
public enum PulseEvent: Sendable, Equatable {
    /// Both streams run, with these devices; the source is empty when none was asked for.
    case ready(source: String, sink: String)
    /// The server cannot be reached, or is gone. Other attempts follow until it can be.
    case serverLost(reason: String)
    /// A stream could not be made, or its device is gone. Other attempts follow until there is one.
    case deviceLost(PulseDirection, reason: String)
    /// The server moved a stream to another device.
    case moved(PulseDirection, device: String)
    /// The server stopped a device for a while, or goes on with it.
    case suspended(PulseDirection, Bool)
}
