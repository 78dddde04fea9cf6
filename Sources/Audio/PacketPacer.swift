/// Holds packets back so that what was sent is never more than a stated lead ahead of what the listener has heard: an
/// interruption then throws little away.
///
/// It has no clock: every call is told the time, counted from any fixed moment. The listener is taken to start playing
/// with the first packet, and to wait where the packets come too late, then to go on at the next one.
///
/// Bounded: `offer` refuses a packet when `capacity48k` of audio waits, and whoever makes the audio should pause.
public struct PacketPacer<Packet: Sendable>: Sendable {
    private struct Entry: Sendable {
        let packet: Packet
        let start48k: Int
        let end48k: Int
    }

    private let lead48k: Int
    private let capacity48k: Int
    private var waiting: [Entry] = []
    /// The clock, at 48 kHz, when the listener heard (or would have heard) media time 0; nil before the first packet.
    private var origin48k: Int?
    private var sentEnd48k = 0

    /// - Parameters:
    ///   - lead: how far what was sent may be ahead of what was heard; a single packet that is longer goes alone.
    ///   - capacity48k: how much audio may wait, in samples at 48 kHz.
    public init(lead: Duration = .seconds(2), capacity48k: Int = 60 * 48_000) {
        lead48k = max(0, lead.samples48k)
        self.capacity48k = capacity48k
    }

    /// Whether nothing waits.
    public var isEmpty: Bool { waiting.isEmpty }

    /// How much audio waits, in samples at 48 kHz.
    public private(set) var waiting48k = 0

    /// Takes a packet with its media time, at 48 kHz, not before that of the packet offered last. False, and not taken,
    /// when it is full.
    public mutating func offer(_ packet: Packet, start48k: Int, duration48k: Int) -> Bool {
        precondition(duration48k >= 0 && start48k >= waiting.last?.start48k ?? 0)
        guard waiting.isEmpty || waiting48k + duration48k <= capacity48k else { return false }
        waiting48k += duration48k
        waiting.append(Entry(packet: packet, start48k: start48k, end48k: start48k + duration48k))
        return true
    }

    /// The packets that may be sent at this moment, in order; they count as sent.
    public mutating func due(at now: Duration) -> [Packet] {
        let clock = now.samples48k
        var count = 0
        for entry in waiting {
            var origin = origin48k ?? clock - entry.start48k
            if clock - origin > sentEnd48k, origin48k != nil { origin = clock - sentEnd48k }
            guard mayLeave(entry, clock: clock, origin: origin) else { break }
            origin48k = origin
            sentEnd48k = max(sentEnd48k, entry.end48k)
            waiting48k -= entry.end48k - entry.start48k
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return waiting[..<count].map(\.packet)
    }

    /// When `due` will next give a packet: nil when nothing waits, a moment that has passed when it would now.
    public func nextDue() -> Duration? {
        guard let next = waiting.first else { return nil }
        guard let origin48k else { return .zero }
        return Duration(samples48k: origin48k + min(sentEnd48k, next.end48k - lead48k))
    }

    /// The media time that the listener has heard up to, at 48 kHz, if everything sent arrived at once.
    public func heard48k(at now: Duration) -> Int {
        guard let origin48k else { return 0 }
        return max(0, min(now.samples48k - origin48k, sentEnd48k))
    }

    /// Throws away what waits and forgets what was sent: as new. The answer is how many packets were thrown away.
    @discardableResult
    public mutating func clear() -> Int {
        defer { self = PacketPacer(lead: Duration(samples48k: lead48k), capacity48k: capacity48k) }
        return waiting.count
    }

    /// A packet may leave when it ends at most the lead after what is being heard, or when nothing else is to be heard.
    private func mayLeave(_ entry: Entry, clock: Int, origin: Int) -> Bool {
        let heard = clock - origin
        return entry.end48k <= heard + lead48k || heard >= sentEnd48k
    }
}

extension Duration {
    /// Whole samples at 48 kHz.
    var samples48k: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 48_000 + Int(attoseconds / 1_000_000_000) * 48 / 1_000_000
    }

    /// The first nanosecond of a sample at 48 kHz.
    init(samples48k samples: Int) {
        self = .seconds(samples / 48_000) + .nanoseconds((samples % 48_000 * 62_500 + 2) / 3)
    }
}
