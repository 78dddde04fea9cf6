import ArgumentParser
import Audio
import CheckpointTools
import Client
import Foundation
import Images
import Parity
import Wire

/// `anygpt ask "What is this?" --image cat.jpg`: one written question.
struct AskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Asks a daemon a written question.",
        discussion: """
            --image shows a picture (PNG, JPEG, WebP) to the model. --music plays a sound file (WAV, FLAC, Ogg, MP3, Opus) \
            to it, of which it hears the first seconds. --draw makes a picture of the text, --compose a piece of music, \
            and saves it. --aloud has the text read, instead of answered, and saves the speech. With --play speech and music \
            are heard through the loudspeakers, too.
            """)

    @Argument(help: "The question, or what a picture or a piece of music should be like.")
    var text = ""

    @Option(help: ArgumentHelp("A picture to show to the model.", valueName: "file"))
    var image: String?

    @Option(help: ArgumentHelp("A sound file to play to the model.", valueName: "file"))
    var music: String?

    @Flag(help: "Make a picture instead of an answer in words.")
    var draw = false

    @Flag(help: "Make a piece of music instead of an answer in words.")
    var compose = false

    @Flag(help: "Read the text aloud instead of answering it, into speech.wav.")
    var aloud = false

    @Flag(help: "Play speech and music through the loudspeakers, too, until the end or Ctrl-C.")
    var play = false

    @Option(help: ArgumentHelp("The loudspeakers, by their name in `talk --list-devices`.", valueName: "name"))
    var sink: String?

    @Option(
        help: ArgumentHelp(
            "How long the piece is to be (default: as the model likes, up to 5 s).", valueName: "seconds"))
    var seconds: Double?

    @Option(help: "The piece's file: flac, wav or opus.")
    var format = "flac"

    @Option(name: [.short, .long], help: ArgumentHelp("Where what was made is saved.", valueName: "folder"))
    var out = "."

    @Flag(help: "Show afterwards how long the daemon took, and its artifact behind the last token.")
    var timing = false

    @OptionGroup var address: DaemonAddress

    func validate() throws {
        guard [draw, compose, aloud].count(where: { $0 }) <= 1 else {
            throw ValidationError("Only one of --draw, --compose and --aloud can be asked for.")
        }
        guard !aloud || (!text.isEmpty && image == nil && music == nil) else {
            throw ValidationError("--aloud reads a text, and nothing else.")
        }
        guard !text.isEmpty || (music ?? image) != nil else { throw ValidationError("There is nothing to ask.") }
        guard play || sink == nil else { throw ValidationError("--sink is for --play.") }
        guard compose || seconds == nil else { throw ValidationError("--seconds is for --compose.") }
    }

    func run() async throws {
        let daemon = try address.endpoint(.realtime)
        var request = WrittenRequest(text)
        if let image {
            request.picture = try Self.contents(ofPicture: image)
        }
        request.isReadAloud = aloud
        if draw { request.artifact = ArtifactRequest(type: .image) }
        if let music { request.music = try Self.contents(of: music) }
        if compose { request.artifact = ArtifactRequest(type: .music, format: format, seconds: seconds) }
        let settled = request
        let folder = URL(filePath: out)
        let showsTiming = timing
        // Before anything is asked: who wants to hear it may not want it without.
        let player = play ? try await PlayedAnswer(sink: sink, isSpeech: aloud) : nil
        defer { player?.close() }
        let task = Task { try await Self.converse(daemon, settled, folder, player, showsTiming: showsTiming) }
        let interrupt = Interrupt { task.cancel() }
        defer { interrupt.cancel() }
        do {
            try await task.value
        } catch is CancellationError {
            throw ExitCode(Interrupt.exitStatus)
        } catch let error as ExitCode {
            throw error
        } catch {
            Terminal.complain("anygpt ask: " + ReportTable.harmless("\(error)"))
            throw ExitCode(1)
        }
    }

    private static func converse(
        _ daemon: DaemonAddress.Endpoint, _ request: WrittenRequest, _ folder: URL, _ player: PlayedAnswer?,
        showsTiming: Bool
    ) async throws {
        let speech = ReplyFile(folder.appending(path: "speech.wav").relativePath)
        if request.isReadAloud {
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            if let obstacle = speech.obstacle { throw Refusal(obstacle) }
        }
        let client = try await RealtimeClient.connect(to: daemon.url, trust: daemon.trust, turnEnd: .commit)
        let progress = ProgressLine(Self.verb(request.artifact?.type))
        let shown = Task { await progress.show() }
        var failure: (any Error)?
        var isLineOpen = false
        var pieces: [URL] = []
        func endLine() {
            if isLineOpen { Terminal.say() }
            isLineOpen = false
        }
        do {
            try await client.ask(request) { update in
                switch update {
                case .text(let delta):
                    isLineOpen = true
                    Terminal.write(ReportTable.harmless(delta))
                case .sound(let samples):
                    speech.append(samples)
                    await player?.play(speech: samples)
                case .progress(let kind, let step, let steps):
                    endLine()
                    progress.show(Self.verb(kind ?? request.artifact?.type), "\(step) of \(steps)")
                case .artifact(let artifact):
                    endLine()
                    let file = try await ArtifactDownload.fetch(
                        artifact, from: daemon.url, into: folder, trust: daemon.trust)
                    Terminal.say(ArrivedArtifacts.line(artifact, in: file))
                    if artifact.type == .music { pieces.append(file) }
                case .timing(let timing):
                    endLine()
                    if showsTiming { Terminal.say(Self.line(timing)) }
                }
            }
        } catch {
            failure = error
        }
        endLine()
        do {
            if try speech.close() { Terminal.say("the speech is in \(speech.path)") }
        } catch {
            failure = failure ?? error
        }
        shown.cancel()
        await shown.value
        await client.close()
        if let failure { throw failure }
        for piece in pieces { try await player?.play(file: piece) }
        try await player?.finish()
    }

    /// What the daemon does, as far as it has said; nothing that takes long, where it has not.
    private static func verb(_ kind: Artifact.Kind?) -> String {
        switch kind {
        case .image: "drawing"
        case .music: "composing"
        case nil: ""
        }
    }

    /// What took how long: "last token after 2310 ms, artifact 48 ms behind it".
    private static func line(_ timing: ResponseTiming) -> String {
        guard let last = timing.lastTokenMilliseconds else { return "no token was drawn" }
        let artifact = timing.artifactMilliseconds.map { String(format: ", artifact %.0f ms behind it", $0 - last) }
        return String(format: "last token after %.0f ms", last) + (artifact ?? "")
    }

    /// A picture's bytes.
    private static func contents(ofPicture path: String) throws -> [UInt8] {
        do {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            // What the daemon would refuse need not be sent.
            _ = try ImageFile.info(bytes)
            return bytes
        } catch let error as ImageFileError {
            throw Refusal("\(path) cannot be shown: \(error)")
        } catch {
            throw Refusal("cannot read \(path): \(error.localizedDescription)")
        }
    }

    /// A file's bytes. Of one that is too large to be sent, only its beginning is: what is heard of it is that.
    private static func contents(of path: String) throws -> [UInt8] {
        do {
            let values = try URL(filePath: path).resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey])
            guard values.isRegularFile == true, let size = values.fileSize else {
                throw Refusal("\(path) is not a file")
            }
            if size <= 16 << 20 { return [UInt8](try Data(contentsOf: URL(filePath: path))) }
            let clip = try AudioFile.read(path, first: 30, mixed: true)
            let shortened = FileManager.default.temporaryDirectory.appending(path: "anygpt-\(UUID().uuidString).flac")
            defer { try? FileManager.default.removeItem(at: shortened) }
            try AudioFile.write(clip, to: shortened.path, format: .flac)
            return [UInt8](try Data(contentsOf: shortened))
        } catch let error as Refusal {
            throw error
        } catch let error as AudioFileError {
            throw Refusal("\(error)")
        } catch {
            throw Refusal("cannot read \(path): \(error.localizedDescription)")
        }
    }
}
