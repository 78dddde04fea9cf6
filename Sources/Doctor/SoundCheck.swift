import Pulse

/// The microphone and loudspeakers that `anygpt talk` and `[desktop]` would use. A daemon for others needs none.
enum SoundCheck {
    static func finding() -> Finding {
        do {
            return finding(try PulseDevices.list())
        } catch {
            return .note(
                "sound devices", "\(error)",
                "only anygpt talk and [desktop] need them: start PulseAudio or PipeWire in this user's session")
        }
    }

    static func finding(_ devices: PulseDevices) -> Finding {
        let source = devices.sources.first(where: \.isDefault)
        let sink = devices.sinks.first(where: \.isDefault)
        let text = "microphone \(source?.description ?? "none"), loudspeakers \(sink?.description ?? "none")"
        guard let source, sink != nil else {
            return .note("sound devices", text, "plug one in, or choose a default in the desktop's sound settings")
        }
        guard !source.isMonitor else {
            return .note(
                "sound devices", text,
                "the default microphone is what the loudspeakers play: choose another (anygpt talk --list-devices)")
        }
        return .ok("sound devices", text)
    }
}
