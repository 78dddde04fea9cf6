import Pulse

/// The sound server's devices, opened for a program that is used once: at its start nothing is tried again.
enum OpenSound {
    /// How long the sound server may take to answer.
    private static let patience = Duration.seconds(10)

    /// Opens what the settings ask for, and waits until it runs.
    ///
    /// - Throws: `Refusal`, with what to do about it.
    static func open(_ settings: PulseSettings) async throws -> (sound: PulseDuplex, source: String, sink: String) {
        let sound: PulseDuplex
        do { sound = try PulseDuplex(settings) } catch { throw Refusal("\(error)") }
        let timeout = Task {
            try await Task.sleep(for: patience)
            sound.close()
        }
        defer { timeout.cancel() }
        for await event in sound.events {
            switch event {
            case .ready(let source, let sink): return (sound, source, sink)
            case .serverLost, .deviceLost:
                sound.close()
                throw Refusal(explanation(event))
            case .moved, .suspended: continue
            }
        }
        throw Refusal("the sound server does not answer within \(patience.components.seconds) s")
    }

    /// What is missing, and how it is found.
    static func explanation(_ event: PulseEvent) -> String {
        switch event {
        case .serverLost(let reason):
            "no sound server answers (\(reason)): start PulseAudio or PipeWire, or name one in PULSE_SERVER"
        case .deviceLost(.capture, let reason):
            "no microphone: \(reason); `anygpt talk --list-devices` shows what there is"
        case .deviceLost(.playback, let reason):
            "no loudspeaker: \(reason); `anygpt talk --list-devices` shows what there is"
        case .ready, .moved, .suspended: ""
        }
    }
}
