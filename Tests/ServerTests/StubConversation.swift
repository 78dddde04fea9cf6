import Synchronization
import Wire

@testable import Client

/// A server that says what a test tells it to, and remembers what it was told.
final class StubLink: LiveLink {
    let session: SessionConfiguration
    let replyRate = 24_000
    let sent = Mutexed<[ClientEvent]>([])
    let spoken = Mutexed(0)
    private let arrivals: AsyncStream<LiveArrival>
    private let continuation: AsyncStream<LiveArrival>.Continuation

    init(_ mode: LiveConversation.Mode) {
        var session = SessionConfiguration(id: "sess_stub", model: "stub", voice: Voice("none"))
        session.turnDetection = mode == .handsFree ? .serverVAD(TurnDetection.ServerVAD()) : nil
        self.session = session
        (arrivals, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    func speak(_ samples: [Float]) async throws -> Bool {
        spoken.change { $0 += samples.count }
        return true
    }
    func finishSpeech() async throws {}
    func send(_ event: ClientEvent) { sent.change { $0.append(event) } }
    func next() async throws -> LiveArrival {
        for await arrival in arrivals { return arrival }
        throw CancellationError()
    }
    func close() async { continuation.finish() }

    func say(_ event: ServerEvent) { continuation.yield(.event(event)) }

    /// A response with an item's sound, up to its end or not.
    func answer(_ item: String, samples: Int, isDone: Bool) {
        let response = "resp_\(item)"
        say(.responseCreated(Response(id: response, status: .inProgress)))
        let message = ConversationItem.message(id: item, status: .inProgress, role: .assistant, content: [])
        say(.outputItemAdded(OutputItem(responseID: response, outputIndex: 0, item: message)))
        say(.outputTranscriptDelta(OutputPlace(responseID: response, itemID: item, outputIndex: 0), delta: "word"))
        for _ in 0..<samples / 480 {
            continuation.yield(.sound([Float](repeating: 0.1, count: 480), concealed: 0))
        }
        if isDone { say(.responseDone(Response(id: response, status: .completed))) }
    }
}

/// A microphone that gives what a test puts in, and a loudspeaker that plays as far as a test says.
final class StubSound: LiveSound {
    private let frames: AsyncStream<[Float]>
    private let continuation: AsyncStream<[Float]>.Continuation
    let state = Mutexed((heard: 0, total: 0))
    let flushes = Mutexed(0)

    init() { (frames, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded) }

    func hear(_ count: Int) async -> [Float]? {
        for await frame in frames { return frame }
        return nil
    }
    func play(_ samples: [Float]) async -> Int? {
        let place = state.value.total
        state.change { $0.total += samples.count }
        return place
    }
    func flush() -> Int {
        let heard = state.value.heard
        flushes.change { $0 += 1 }
        state.change { $0.heard = $0.total }
        return heard
    }
    var position: (heard: Int, total: Int) { state.value }

    func speak(frames count: Int) {
        for _ in 0..<count { continuation.yield([Float](repeating: 0.2, count: 320)) }
    }
    func close() { continuation.finish() }
}

/// Tests of a conversation between the two.
protocol StubbedConversation {}

extension StubbedConversation {
    /// Runs a conversation for a body.
    func with(
        _ mode: LiveConversation.Mode, music: (@Sendable (Artifact) async throws -> [Float]?)? = nil,
        _ body: (LiveConversation, StubLink, StubSound, Mutexed<[LiveConversation.Update]>) async throws -> Void
    ) async throws {
        let (link, sound) = (StubLink(mode), StubSound())
        let updates = Mutexed<[LiveConversation.Update]>([])
        let conversation = LiveConversation(link, sound, mode: mode, music: music) { update in
            updates.change { $0.append(update) }
        }
        let running = Task { try await conversation.run() }
        do {
            try await body(conversation, link, sound, updates)
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        _ = await running.result
    }

    func wait(until condition: () async -> Bool) async throws {
        while await !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// The server hears speech.
    static var started: ServerEvent {
        .speechStarted(SpeechStarted(itemID: "item_q", audioStartMilliseconds: 0))
    }
}
