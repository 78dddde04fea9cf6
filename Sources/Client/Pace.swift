/// The speed of real time: the ends of equal intervals, counted from one moment, so that what comes late once is not late
/// for ever and the whole does not drift.
public struct Pace<C: Clock> where C.Duration == Duration {
    /// Where time comes from.
    public let clock: C
    /// How far two moments are apart.
    public let interval: Duration
    /// Moments that have passed.
    public private(set) var count = 0

    private var start: C.Instant

    /// A pace whose first moment is one interval from now.
    public init(_ clock: C, interval: Duration) {
        self.clock = clock
        self.interval = interval
        start = clock.now
    }

    /// The next moment.
    public var next: C.Instant { start.advanced(by: interval * (count + 1)) }

    /// Waits for the next moment; goes on at once when it has passed, to catch up.
    public mutating func wait() async throws {
        let moment = next
        count += 1
        try await clock.sleep(until: moment, tolerance: .zero)
    }

    /// Whatever is sent at this pace was not there until now: by how much the next moment is missed, all the moments to
    /// come move, for what was recorded late cannot be hurried after.
    public mutating func startLate() {
        let late = next.duration(to: clock.now)
        if late > .zero { start = start.advanced(by: late) }
    }
}
