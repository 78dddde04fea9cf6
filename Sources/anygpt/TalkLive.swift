import Client
import Foundation
import Pulse
import Synchronization

/// `anygpt talk` through the microphone and the loudspeakers, until it is ended.
struct TalkLive {
    /// Where the daemon is.
    let daemon: DaemonAddress.Endpoint
    /// Who ends a turn.
    let mode: LiveConversation.Mode
    /// The devices that were asked for; nil takes the sound server's defaults.
    let source: String?
    let sink: String?
    /// Where the replies are written, if anywhere.
    let replies: ReplyFile?
    /// What becomes of pictures and music.
    let artifacts: ArrivedArtifacts
    /// Whether a line of times follows each turn.
    let showsTimes: Bool

    /// Talks until Ctrl-C, or until the session ends, which is thrown.
    func run() async throws {
        let link = try await connect()
        let (sound, devices): (PulseDuplex, Devices)
        do {
            (sound, devices) = try await openSound(replyRate: link.replyRate)
        } catch {
            await link.close()
            throw error
        }
        let screen = LiveScreen(showsTimes: showsTimes)
        screen.introduce([("daemon", daemon.url)] + devices)
        let keys = Keyboard.keys()
        defer {
            screen.end()
            Keyboard.restore()
        }
        let rate = link.replyRate
        let conversation = LiveConversation(
            link, sound, mode: mode, music: { [artifacts] in try await artifacts.sound(of: $0, sampleRate: rate) }
        ) { update in
            switch update {
            case .turn(.sound(let samples)): replies?.append(samples)
            case .turn(.artifact(let artifact)): artifacts.take(artifact, say: screen.say)
            default: break
            }
            screen.show(update)
        }
        let talk = Task { try await converse(conversation, sound, screen, keys) }
        let interrupt = Interrupt {
            screen.end()
            Keyboard.restore()
            talk.cancel()
        }
        defer { interrupt.cancel() }
        let outcome = await talk.result
        sound.close()
        _ = await artifacts.finish()
        await link.close()
        if case .failure(let error) = outcome, !(error is CancellationError) { throw error }
    }

    private func connect() async throws -> OpusLink {
        do {
            return try OpusLink(
                try await RealtimeClient.connect(
                    to: daemon.url, trust: daemon.trust, turnEnd: mode == .pushToTalk ? .commit : .silence))
        } catch let error as ClientError {
            throw Refusal("\(error)")
        }
    }

    /// Opens both devices.
    private func openSound(replyRate: Int) async throws -> (PulseDuplex, Devices) {
        var settings = PulseSettings(applicationName: "AnyGPT")
        settings.source = source
        settings.sink = sink
        settings.playbackRate = replyRate
        let opened = try await OpenSound.open(settings)
        return (opened.sound, Self.devices(source: opened.source, sink: opened.sink))
    }

    // MARK: The conversation

    private func converse(
        _ conversation: LiveConversation, _ sound: PulseDuplex, _ screen: LiveScreen, _ keys: AsyncStream<UInt8>
    ) async throws {
        let hasSound = Mutexed(true)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await conversation.run() }
            group.addTask {
                try await follow(sound, conversation, screen, hasSound)
                try await Task.sleep(for: .seconds(86_400 * 365))
            }
            group.addTask { try await press(keys, conversation) }
            group.addTask {
                while true {
                    let level = hasSound.value ? await conversation.level : nil
                    screen.status(LiveStatus(phase: await conversation.phase, level: level, mode: mode))
                    try await Task.sleep(for: .milliseconds(66))
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Tells what happens to the devices.
    private func follow(
        _ sound: PulseDuplex, _ conversation: LiveConversation, _ screen: LiveScreen, _ hasSound: Mutexed<Bool>
    ) async throws {
        for await event in sound.events {
            switch event {
            case .ready(let source, let sink):
                hasSound.value = true
                screen.introduce(Self.devices(source: source, sink: sink))
            case .serverLost(let reason):
                hasSound.value = false
                screen.say("The sound server is gone (\(reason)). It is used again as soon as it is back.")
                try await conversation.microphoneLost()
            case .deviceLost(.capture, let reason):
                hasSound.value = false
                screen.say("No microphone: \(reason). It is used again as soon as there is one.")
                try await conversation.microphoneLost()
            case .deviceLost(.playback, let reason):
                screen.say("No loudspeaker: \(reason). Replies wait until there is one.")
            case .moved(.capture, let device): screen.introduce([("microphone", device)])
            case .moved(.playback, let device): screen.introduce([("loudspeaker", device)])
            case .suspended(let direction, let isSuspended):
                let device = direction == .capture ? "microphone" : "loudspeaker"
                screen.say("The sound server \(isSuspended ? "suspends" : "goes on with") the \(device).")
            }
        }
    }

    /// The space bar: talks, or stops the reply.
    private func press(_ keys: AsyncStream<UInt8>, _ conversation: LiveConversation) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let button = Mutexed(PushToTalkKey())
        var release: Task<Void, any Error>?
        defer { release?.cancel() }
        for await key in keys where key == UInt8(ascii: " ") {
            guard mode == .pushToTalk else {
                await conversation.stopReply()
                continue
            }
            let action = button.change { $0.pressed(at: clock.now - start) }
            try await perform(action, conversation)
            release?.cancel()
            guard let deadline = button.value.deadline else { continue }
            release = Task {
                try await clock.sleep(until: start.advanced(by: deadline))
                try await perform(button.change { $0.timePassed(to: clock.now - start) }, conversation)
            }
        }
        // No keyboard is no reason to end.
        try await Task.sleep(for: .seconds(86_400 * 365))
    }

    private func perform(_ action: PushToTalkKey.Action?, _ conversation: LiveConversation) async throws {
        switch action {
        case .begin: await conversation.beginTurn()
        case .end: try await conversation.endTurn()
        case nil: break
        }
    }

    // MARK: Lines

    private typealias Devices = [(name: String, value: String)]

    private static func devices(source: String, sink: String) -> Devices {
        // Whoever hears what is played would talk to itself.
        let warning = source == "\(sink).monitor" ? " (this is what the loudspeakers play, not a microphone)" : ""
        return [("microphone", source + warning), ("loudspeaker", sink)]
    }
}

/// A value that tasks share.
final class Mutexed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { state.withLock { body(&$0) } }
}
