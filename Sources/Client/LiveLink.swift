import Audio
import Synchronization
import Wire

/// A session with the daemon as a live conversation needs it: samples both ways, whatever they travel as.
public protocol LiveLink: Sendable {
    /// The session as the server has it.
    var session: SessionConfiguration { get }
    /// Samples a second of the reply's sound.
    var replyRate: Int { get }

    /// Sends speech, mono at 16 kHz. Returns false when the session is over, of which `next` tells more.
    func speak(_ samples: [Float]) async throws -> Bool
    /// Sends what `speak` still holds back of the turn.
    func finishSpeech() async throws
    /// Sends an event.
    func send(_ event: ClientEvent)
    /// The next thing that the server sent. Throws at the session's end and for what cannot be understood. One reader.
    func next() async throws -> LiveArrival
    /// Says goodbye, and waits until the session is over.
    func close() async
}

/// Something that the server sent in a live conversation.
public enum LiveArrival: Equatable, Sendable {
    /// An event.
    case event(ServerEvent)
    /// The next piece of the reply's sound: what it consists of, and for how many lost packets sound was made up.
    case sound([Float], concealed: Int)
}

/// A live conversation's session over the network: speech and replies travel as Opus.
public final class OpusLink: LiveLink {
    private let client: RealtimeClient
    /// The turn's encoder; a new one for each turn that is finished.
    private let encoder: Mutex<OpusEncoder?> = Mutex(nil)
    /// Only `next` touches it, and `next` has one reader; the lock says so to the compiler.
    private let sound: Mutex<ReplySound>

    /// The session of a client.
    public init(_ client: RealtimeClient) throws(ClientError) {
        self.client = client
        sound = Mutex(try ReplySound())
    }

    /// The session as the server has it.
    public var session: SessionConfiguration { client.session }
    /// What Opus is decoded to.
    public var replyRate: Int { ReplySound.sampleRate }

    /// Sends speech in packets of 20 ms; what does not fill one waits for more.
    public func speak(_ samples: [Float]) async throws -> Bool {
        let packets = try encoder.withLock { encoder in
            let current = try encoder ?? OpusEncoder()
            encoder = current
            return try current.encode(samples)
        }
        return await send(packets)
    }

    /// Sends what the encoder holds back.
    public func finishSpeech() async throws {
        let packets = try encoder.withLock { encoder in
            defer { encoder = nil }
            return try encoder?.finish() ?? []
        }
        _ = await send(packets)
    }

    private func send(_ packets: [OpusPacket]) async -> Bool {
        for packet in packets {
            guard await client.send(packet: packet.bytes) else { return false }
        }
        return true
    }

    /// Sends an event.
    public func send(_ event: ClientEvent) { client.send(event) }

    /// The next thing that the server sent.
    public func next() async throws -> LiveArrival {
        switch try await client.next() {
        case .event(let event): return .event(event)
        case .audio(let frame):
            return try sound.withLock { sound in
                let before = sound.concealedPackets
                let samples = try sound.decode(frame)
                return .sound(samples, concealed: sound.concealedPackets - before)
            }
        }
    }

    /// Says goodbye.
    public func close() async { await client.close() }
}
