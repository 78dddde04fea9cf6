import Client
import Logging
import Pulse
import Synchronization
import Wire

/// The conversation that the daemon holds by itself, through the sound server of the machine it runs on. A door like the
/// others: the same session, and the same conversation as that of `anygpt talk`.
struct Desktop: Sendable {
    /// The pause before another session when one has failed.
    private static let pause = Duration.seconds(5)

    private let services: RealtimeServices
    private let settings: PulseSettings
    private let counter: SessionCounter
    private let logger: Logger
    private let show: @Sendable (LiveConversation.Update) -> Void

    /// - Parameter show: is told what comes, for whoever wants to see more than the log tells.
    init(
        _ services: RealtimeServices, _ counter: SessionCounter,
        show: @escaping @Sendable (LiveConversation.Update) -> Void = { _ in }
    ) {
        self.show = show
        self.services = services
        self.counter = counter
        let desktop = services.configuration.desktop
        var settings = PulseSettings(applicationName: "AnyGPT")
        settings.server = desktop.server.isEmpty ? nil : desktop.server
        settings.source = desktop.source.isEmpty ? nil : desktop.source
        settings.sink = desktop.sink.isEmpty ? nil : desktop.sink
        settings.cancelsEcho = desktop.echoCancellation
        settings.captureRate = AudioInput.sampleRate
        settings.playbackRate = services.speechSampleRate
        self.settings = settings
        logger = services.logger
    }

    /// Talks until the task is cancelled, whenever there is a sound server.
    func run() async {
        let sound: PulseDuplex
        do {
            sound = try PulseDuplex(settings)
        } catch {
            return logger.error("desktop: \(error)")
        }
        let current = CurrentConversation()
        var talking: Task<Void, Never>?
        for await event in sound.events {
            tell(event)
            switch event {
            case .ready:
                if talking == nil { talking = Task { await talk(sound, current) } }
            case .serverLost, .deviceLost(.capture, _):
                do { try await current.conversation?.microphoneLost() } catch { logger.error("desktop: \(error)") }
            default: break
            }
        }
        talking?.cancel()
        sound.close()
        await talking?.value
    }

    /// One session after the other; the first lasts, unless something fails.
    private func talk(_ sound: PulseDuplex, _ current: CurrentConversation) async {
        while !Task.isCancelled {
            do {
                let session = try await LocalSession.open(services)
                counter.change(by: 1)
                defer { counter.change(by: -1) }
                let conversation = LiveConversation(
                    session, sound, mode: .handsFree, music: { [services] in try await Self.sound(of: $0, services) }
                ) { [logger, show] update in
                    Self.tell(update, logger)
                    show(update)
                }
                current.conversation = conversation
                do { try await conversation.run() } catch { if !(error is CancellationError) { tell(error) } }
                current.conversation = nil
                await session.close()
            } catch {
                tell(error)
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// The daemon's own artifacts need not be fetched: they lie in its folder.
    private static func sound(of artifact: Artifact, _ services: RealtimeServices) async throws -> [Float]? {
        guard let file = services.artifacts?.file(of: artifact) else { return nil }
        return try await PlayableMusic.samples(of: file, sampleRate: services.speechSampleRate)
    }

    private func tell(_ error: any Error) {
        logger.error("desktop: \(error); another session begins in \(Self.pause.components.seconds) s")
    }

    private func tell(_ event: PulseEvent) {
        switch event {
        case .ready(let source, let sink):
            logger.notice("desktop: listening to \(source), speaking through \(sink)")
            if source == "\(sink).monitor" {
                logger.warning("desktop: \(source) is what the loudspeakers play, not a microphone: set desktop.source")
            }
        case .serverLost(let reason):
            logger.warning("desktop: no sound server answers (\(reason)); trying again until one does")
        case .deviceLost(.capture, let reason):
            logger.warning("desktop: no microphone: \(reason); trying again until there is one")
        case .deviceLost(.playback, let reason):
            logger.warning("desktop: no loudspeaker: \(reason); trying again until there is one")
        case .moved(let direction, let device): logger.notice("desktop: \(direction) moved to \(device)")
        case .suspended(let direction, let isSuspended):
            logger.notice("desktop: \(direction) \(isSuspended ? "suspended" : "goes on")")
        }
    }

    /// What people say is theirs: of it only the outline is written down.
    private static func tell(_ update: LiveConversation.Update, _ logger: Logger) {
        switch update {
        case .interrupted(let time), .musicStopped(let time):
            logger.info("desktop: interrupted", metadata: ["after": "\(time)"])
        case .notice(let line): logger.notice("desktop: \(line)")
        case .turn: break
        }
    }
}

/// The conversation that goes on, for whoever has to tell it of the devices.
private final class CurrentConversation: Sendable {
    private let state = Mutex<LiveConversation?>(nil)

    var conversation: LiveConversation? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
