import ArgumentParser
import Audio
import Client
import Foundation
import Parity
import Wire

/// `anygpt talk`: speaks to the daemon, and shows and writes down what it answers.
struct TalkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "talk",
        abstract: "Talks to a daemon: through the microphone, or by speaking recordings.",
        discussion: """
            Without --file or --pcm it holds a conversation through the sound server's microphone and loudspeakers, until \
            Ctrl-C. Speak whenever you like, also while a reply is heard, which then stops. With --push-to-talk the space \
            bar is the button: hold it while you speak, or tap it before and after.

            Recordings are sent at the speed of real time, 20 ms at a time, as a microphone would. Several files are the turns \
            of one conversation: each is spoken when the answer before it would have been heard.

            Exits with 0 when every turn was answered or the conversation was ended, 1 when something failed, and 2 when there is no daemon to talk to or \
            the command makes no sense.
            """)

    @Option(
        help: ArgumentHelp(
            "A recording to speak, of any format and rate. May be given several times.", valueName: "file"))
    var file: [String] = []

    @Option(
        help: ArgumentHelp("Speaks raw samples, 16-bit little-endian mono: - for standard input.", valueName: "source"))
    var pcm: String?

    @Option(help: ArgumentHelp("Samples a second of --pcm.", valueName: "hertz"))
    var rate = 16_000

    @OptionGroup var address: DaemonAddress

    @Option(
        help: ArgumentHelp(
            "Where the replies are written: WAV, or FLAC by its name (default: reply.wav for recordings).",
            valueName: "file"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Where pictures and pieces of music that come are saved (default: their addresses are told).",
            valueName: "folder"))
    var artifacts: String?

    @Option(help: ArgumentHelp("The microphone, by its name in --list-devices.", valueName: "name"))
    var source: String?

    @Option(help: ArgumentHelp("The loudspeakers, by their name in --list-devices.", valueName: "name"))
    var sink: String?

    @Flag(help: "Lists the microphones and loudspeakers of the sound server.")
    var listDevices = false

    @Flag(help: "Talks only while the space bar is held, or between two taps of it.")
    var pushToTalk = false

    @Flag(help: "Shows after each turn of a live conversation how soon it was answered.")
    var timing = false

    @Flag(help: "Ends each turn with its last sample, instead of the silence that the daemon waits for.")
    var manual = false

    @Flag(help: "Only writes down what is said in the recordings, each as one turn, and answers nothing.")
    var transcribe = false

    @Flag(help: "Prints one JSON object instead, when all is over.")
    var json = false

    /// Whether the microphone is what is spoken through.
    private var isLive: Bool { file.isEmpty && pcm == nil }

    func run() async throws {
        if listDevices { return try DeviceList.show() }
        try checkOptions()
        if isLive { return try await talkLive() }
        let out = out ?? "reply.wav"
        let sources = try sources()
        let replies = ReplyFile(out)
        if let obstacle = replies.obstacle { throw Refusal(obstacle) }
        let daemon = try address.endpoint(.realtime)
        let talk = Task { try await converse(daemon, sources, replies, out) }
        let interrupt = Interrupt { talk.cancel() }
        defer { interrupt.cancel() }
        do {
            try await talk.value
        } catch is CancellationError {
            _ = try? replies.close()
            throw ExitCode(Interrupt.exitStatus)
        }
    }

    /// Options that belong to the other way of talking are a mistake, not to be passed over.
    private func checkOptions() throws {
        let ofLive = [
            (source != nil, "--source"), (sink != nil, "--sink"), (pushToTalk, "--push-to-talk"), (timing, "--timing"),
        ]
        let ofRecordings = [(manual, "--manual"), (transcribe, "--transcribe"), (json, "--json")]
        if let (_, option) = (isLive ? ofRecordings : ofLive).first(where: \.0) {
            throw Refusal(
                isLive ? "\(option) needs --file or --pcm" : "\(option) is for live talk, without --file or --pcm")
        }
        if pushToTalk, !Keyboard.isThere { throw Refusal("--push-to-talk needs a terminal, for its space bar") }
    }

    private func talkLive() async throws {
        let replies = out.map { ReplyFile($0) }
        if let obstacle = replies?.obstacle { throw Refusal(obstacle) }
        let daemon = try address.endpoint(.realtime)
        let talk = TalkLive(
            daemon: daemon, mode: pushToTalk ? .pushToTalk : .handsFree,
            source: source, sink: sink, replies: replies,
            artifacts: ArrivedArtifacts(from: daemon, into: artifacts), showsTimes: timing)
        var failures: [String] = []
        do { try await talk.run() } catch let error as ClientError { failures.append("\(error)") }
        do { try replies?.close() } catch { failures.append("\(error)") }
        for failure in failures { Terminal.complain("anygpt talk: " + ReportTable.harmless(failure)) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private func converse(
        _ daemon: DaemonAddress.Endpoint, _ sources: [(name: String, speech: any SpeechSource)], _ replies: ReplyFile,
        _ out: String
    ) async throws {
        let client: RealtimeClient
        do {
            client = try await RealtimeClient.connect(
                to: daemon.url, trust: daemon.trust, turnEnd: manual || transcribe ? .commit : .silence)
        } catch let error as ClientError {
            throw Refusal(ReportTable.harmless("\(error)"))
        }
        let screen = TalkScreen(isQuiet: json, showsReplies: !transcribe)
        let arrived = ArrivedArtifacts(from: daemon, into: artifacts)
        var request = ResponseParameters()
        if transcribe { request.task = .transcribe }
        var conversation = Conversation(client, request: request)
        var turns: [(report: TurnReport, source: String)] = []
        var failure: (any Error)?
        do {
            for (name, speech) in sources {
                screen.begin(name)
                let reports = try await conversation.speak(speech) { update in
                    switch update {
                    case .sound(let samples): replies.append(samples)
                    case .artifact(let artifact): arrived.take(artifact, say: screen.say)
                    default: break
                    }
                    screen.show(update)
                }
                turns += reports.map { ($0, name) }
            }
        } catch {
            failure = error
            screen.end()
        }
        let unsaved = await arrived.finish()
        await client.close()
        if failure is CancellationError { throw CancellationError() }
        try finish(turns, (daemon.url, client.session.id, out), replies, screen, failure, unsaved)
    }

    /// Writes everything down and says how it went.
    private func finish(
        _ turns: [(report: TurnReport, source: String)], _ place: (url: String, session: String, out: String),
        _ replies: ReplyFile,
        _ screen: TalkScreen,
        _ failure: (any Error)?, _ unsaved: [String]
    ) throws {
        var failures = (failure.map { ["\($0)"] } ?? []) + unsaved
        var hasFile = false
        do { hasFile = try replies.close() } catch { failures.append("\(error)") }
        if json {
            let record = TalkRecord(
                url: place.url, session: place.session, out: hasFile ? place.out : nil,
                turns: turns.map { TalkRecord.Turn($0.report, source: $0.source) })
            Terminal.say(try record.json())
        } else if hasFile {
            screen.say("the reply's sound is in \(place.out)")
        }
        if failure == nil { failures += Self.unanswered(turns.map(\.report)) }
        for failure in failures { Terminal.complain("anygpt talk: " + ReportTable.harmless(failure)) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    /// What there is to complain of. An interrupted answer is nothing of that kind: the speech went on.
    private static func unanswered(_ turns: [TurnReport]) -> [String] {
        turns.indices.compactMap { index in
            let turn = turns[index]
            switch turn.status {
            case .completed: return nil
            case .cancelled where turn.isInterrupted && index < turns.count - 1: return nil
            case nil where index < turns.count - 1: return nil
            default: return "turn \(index + 1) was not answered: \(turn.reason ?? "there is no response")"
            }
        }
    }

    /// What is to be spoken, in order.
    private func sources() throws -> [(name: String, speech: any SpeechSource)] {
        do {
            switch (file.isEmpty, pcm) {
            case (true, nil): return []
            case (false, _?): throw Refusal("--file and --pcm cannot be combined")
            case (false, nil): return try file.map { ($0, try RecordedSpeech(file: $0)) }
            case (true, "-"?):
                return [("standard input", try PipedSpeech(descriptor: STDIN_FILENO, sampleRate: rate))]
            case (true, let path?):
                throw Refusal("--pcm takes - (standard input), not \(path); see --file for recordings")
            }
        } catch let error as ClientError {
            throw Refusal("\(error)")
        }
    }
}
