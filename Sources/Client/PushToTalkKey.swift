/// A key of a terminal as a push-to-talk button. Terminals tell that a key went down, not that it came up; but a key that
/// is held repeats. So a key that repeats talks for as long as it does, and one that is only tapped talks until it is
/// tapped again. A pure state machine: it is told when what happened.
public struct PushToTalkKey: Sendable {
    /// What a key press, or the lack of one, asks for.
    public enum Action: Sendable {
        /// The turn begins.
        case begin
        /// The turn is over.
        case end
    }

    private enum State {
        case idle
        /// Tapped: talks until the next tap.
        case tapped
        /// Tapped again, unless this was the first repetition of a key that is held.
        case tappedAgain(Duration)
        /// Held: talks until the repetitions stop.
        case held(Duration)
    }

    /// Keyboards repeat every 20 to 100 ms.
    private static let slowestRepetition = Duration.milliseconds(150)

    private var state = State.idle

    /// Nobody talks.
    public init() {}

    /// When `timePassed` has something to say; nil when only a key press has.
    public var deadline: Duration? {
        switch state {
        case .idle, .tapped: nil
        case .tappedAgain(let time), .held(let time): time + Self.slowestRepetition
        }
    }

    /// The key was pressed, or repeats.
    public mutating func pressed(at time: Duration) -> Action? {
        // What should have been noticed earlier comes first.
        if let end = timePassed(to: time) { return end }
        switch state {
        case .idle:
            state = .tapped
            return .begin
        case .tapped: state = .tappedAgain(time)
        case .tappedAgain, .held: state = .held(time)
        }
        return nil
    }

    /// It is this late now, and the key was not pressed.
    public mutating func timePassed(to time: Duration) -> Action? {
        guard let deadline, time >= deadline else { return nil }
        state = .idle
        return .end
    }
}
