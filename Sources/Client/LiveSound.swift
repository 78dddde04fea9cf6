import Pulse

/// What a live conversation is heard by and speaks through.
public protocol LiveSound: Sendable {
    /// The next samples of the microphone, as many as asked for; nil when it is closed or the task is cancelled.
    func hear(_ count: Int) async -> [Float]?
    /// Puts samples behind those that wait to be played. Returns the place of the first one among all that were ever put
    /// in; nil when it is closed or the task is cancelled.
    func play(_ samples: [Float]) async -> Int?
    /// Stops the sound at once. Returns how much of all that was ever put in had been heard, as a place.
    func flush() -> Int
    /// Up to where the sound was heard, and how much was put in.
    var position: (heard: Int, total: Int) { get }
}

extension PulseDuplex: LiveSound {}
