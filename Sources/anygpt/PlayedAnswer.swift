import Client
import Foundation
import Pulse

/// What a written question is answered with, through the sound server's loudspeakers: speech as it comes, and music behind
/// it.
struct PlayedAnswer {
    /// What devices play at as a rule, so that nothing of the music is lost.
    private static let musicRate = 48_000
    /// How often is looked whether all was heard.
    private static let patience = Duration.milliseconds(20)

    private let sound: PulseDuplex
    private let sampleRate: Int

    /// Opens the loudspeakers.
    ///
    /// - Parameters:
    ///   - sink: the sink's name; nil takes the server's default.
    ///   - isSpeech: whether samples at `ReplySound.sampleRate` are what will be played first.
    init(sink: String?, isSpeech: Bool) async throws {
        var settings = PulseSettings(applicationName: "AnyGPT")
        settings.sink = sink
        settings.listens = false
        settings.cancelsEcho = false
        sampleRate = isSpeech ? ReplySound.sampleRate : Self.musicRate
        settings.playbackRate = sampleRate
        sound = try await OpenSound.open(settings).sound
    }

    /// Puts speech behind what waits to be heard. Waits when that is a minute.
    func play(speech samples: [Float]) async {
        _ = await sound.play(samples)
    }

    /// Puts a file's sound behind what waits to be heard.
    func play(file: URL) async throws {
        _ = await sound.play(try await PlayableMusic.samples(of: file, sampleRate: sampleRate))
    }

    /// Waits until all is heard.
    ///
    /// - Throws: `Refusal` when nobody plays it any more; `CancellationError`.
    func finish() async throws {
        try await withThrowingTaskGroup(of: Void.self) { [sound] group in
            group.addTask {
                while true {
                    let position = sound.position
                    if position.heard >= position.total { return }
                    try await Task.sleep(for: Self.patience)
                }
            }
            group.addTask {
                for await event in sound.events {
                    let reason = OpenSound.explanation(event)
                    if !reason.isEmpty { throw Refusal(reason) }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
        // Cancelled, the events end like those of a sound server that has nothing more to say.
        try Task.checkCancellation()
    }

    /// Lets go of the loudspeakers; what was not heard is not.
    func close() { sound.close() }
}
