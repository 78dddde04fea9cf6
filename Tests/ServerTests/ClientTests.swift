import Audio
import Foundation
import Synchronization
import TestSupport
import Testing
import WebSockets
import Wire

@testable import Client

@Suite("A conversation, on a server that follows a script")
struct ClientTests {
    /// 100 ms of tone: five packets.
    private let speech = RecordedSpeech(samples: StubDaemon.tone(samples: 1600, sampleRate: 16_000))

    private func shown() -> (all: Mutexed<[TurnLedger.Update]>, show: @Sendable (TurnLedger.Update) -> Void) {
        let updates = Mutexed<[TurnLedger.Update]>([])
        return (updates, { update in updates.change { $0.append(update) } })
    }

    @Test("In manual mode the client commits after the last sample and asks for the response")
    func manualMode() async throws {
        let order = Mutexed<[String]>([])
        let frames = try StubDaemon.frames(10)
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            let (packets, first) = await daemon.packetsBeforeEvent()
            let second = await daemon.packetsBeforeEvent()
            order.change { $0 = ["\(packets)", first?.type ?? "-", second.event?.type ?? "-"] }
            daemon.endTurn(bySilence: false)
            daemon.answer(["what", " is"], ["pa", "ris"], frames: frames)
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url, turnEnd: .commit)
            #expect(client.session.turnDetection == nil)
            var conversation = Conversation(client)
            let (updates, show) = shown()
            let turns = try await conversation.speak(speech, show: show)
            await client.close()

            // Five packets of speech, and one for what the encoder holds back.
            #expect(order.value == ["6", "input_audio_buffer.commit", "response.create"])
            let turn = try #require(turns.first)
            #expect(turns.count == 1)
            #expect(turn.transcript == "what is")
            #expect(turn.reply == "paris")
            #expect(turn.isCompleted)
            #expect(turn.packets == 10)
            #expect(turn.samples == 10 * 480)
            #expect(turn.server?.packetsBeforeLastToken == 5)
            let words = updates.value.compactMap { update -> String? in
                switch update {
                case .heard(let text): "<" + text
                case .said(let text): ">" + text
                default: nil
                }
            }
            #expect(words == ["<what", "< is", ">pa", ">ris"])
        }
    }

    @Test("The stages of a turn have times in their order, counted in real time")
    func times() async throws {
        let frames = try StubDaemon.frames(3)
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            _ = await daemon.packetsBeforeEvent()
            _ = await daemon.packetsBeforeEvent()
            try? await Task.sleep(for: .milliseconds(30))
            daemon.endTurn(bySilence: false)
            try? await Task.sleep(for: .milliseconds(30))
            daemon.answer(["a"], ["b"], frames: frames)
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url, turnEnd: .commit)
            var conversation = Conversation(client)
            let turns = try await conversation.speak(speech)
            await client.close()
            let times = try #require(turns.first).times
            let sent = try #require(times.lastSampleSent)
            let end = try #require(times.endOfTurn)
            let text = try #require(times.firstText)
            let reply = try #require(times.firstReplyText)
            let audio = try #require(times.firstAudio)
            let done = try #require(times.done)
            // Six packets are sent at the ends of six times 20 ms.
            #expect(sent >= .milliseconds(120))
            #expect(end - sent >= .milliseconds(30))
            #expect(text - sent >= .milliseconds(60))
            #expect(text <= reply && reply <= audio && audio <= done)
        }
    }

    @Test("After the speech silence is sent until the server has taken the turn for ended")
    func silence() async throws {
        let silent = Mutexed(0)
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            daemon.send(.speechStarted(SpeechStarted(itemID: "item_1", audioStartMilliseconds: 0)))
            // The five of the speech, and seven of silence: the turn is open until then.
            guard await daemon.takePackets(12) else { return }
            silent.change { $0 = 7 }
            daemon.endTurn(bySilence: true)
            daemon.answer(["a"], ["b"])
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url)
            #expect(client.session.turnDetection != nil)
            var conversation = Conversation(client)
            let turns = try await conversation.speak(speech)
            await client.close()
            #expect(silent.value == 7)
            #expect(turns.count == 1)
            #expect(turns.first?.reply == "b")
            let times = try #require(turns.first).times
            // The twelfth packet is not sent before its time.
            #expect(try #require(times.endOfTurn) >= .milliseconds(240))
            #expect(try #require(times.lastSampleSent) < #require(times.endOfTurn))
        }
    }

    @Test("A pause in the speech that the server takes for its end makes two turns; the first answer is interrupted")
    func interruption() async throws {
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            for turn in 1...2 {
                daemon.send(.speechStarted(SpeechStarted(itemID: "item_\(turn)", audioStartMilliseconds: 0)))
                guard await daemon.takePackets(4) else { return }
                daemon.endTurn(bySilence: true)
                let details = Response.StatusDetails(type: .cancelled, reason: "turn_detected")
                if turn == 1 {
                    daemon.answer(["one"], [], status: .cancelled, details: details)
                } else {
                    daemon.answer(["two"], ["three"])
                }
            }
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url)
            var conversation = Conversation(client)
            // Speech to a detector of ours: what is left after the first turn is not known to be silent.
            let voice = try RecordedSpeech(file: Golden.file("chain", "question.wav").path)
            let turns = try await conversation.speak(Endless(voice, packets: 8))
            await client.close()
            #expect(turns.map(\.transcript) == ["one", "two"])
            #expect(turns.first?.isInterrupted == true)
            #expect(turns.last?.isCompleted == true)
        }
    }

    @Test("Two turns are one conversation, and the second waits until the first answer was heard")
    func twoTurns() async throws {
        // 200 ms to be heard, which come at once.
        let frames = try StubDaemon.frames(10)
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            for _ in 0..<2 {
                _ = await daemon.packetsBeforeEvent()
                _ = await daemon.packetsBeforeEvent()
                daemon.endTurn(bySilence: false)
                daemon.answer(["a"], ["b"], frames: frames)
            }
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url, turnEnd: .commit)
            var conversation = Conversation(client)
            let first = try #require(try await conversation.speak(speech).first)
            let second = try #require(try await conversation.speak(speech).first)
            await client.close()
            let heard = try #require(first.times.firstAudio) + .milliseconds(200)
            #expect(try #require(second.times.lastSampleSent) >= heard + .milliseconds(120))
        }
    }

    @Test("A lost packet is counted, and its time is filled")
    func lostPacket() async throws {
        let frames = try StubDaemon.frames(20)
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            _ = await daemon.packetsBeforeEvent()
            daemon.endTurn(bySilence: false)
            daemon.answer(["a"], ["b"], frames: frames, losing: [7, 8, 15])
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url, turnEnd: .commit)
            var conversation = Conversation(client)
            let turn = try #require(try await conversation.speak(speech).first)
            await client.close()
            #expect(turn.packets == 17)
            #expect(turn.concealedPackets == 3)
            #expect(turn.samples == 20 * 480)
        }
    }

    // MARK: What goes wrong

    @Test("An error event ends the turn with what the server says")
    func serverError() async throws {
        let error = WireError(.inputAudioBufferCommitEmpty, "There is no sound to commit.")
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            _ = await daemon.packetsBeforeEvent()
            daemon.send(.error(error))
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url, turnEnd: .commit)
            var conversation = Conversation(client)
            await #expect(throws: ClientError.server(error)) { try await conversation.speak(speech) }
            await client.close()
        }
    }

    @Test("A failed response is a turn that is not completed")
    func failedResponse() async throws {
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            _ = await daemon.packetsBeforeEvent()
            daemon.endTurn(bySilence: false)
            let error = Response.Failure(type: "server_error", code: "generation_failed")
            daemon.answer([], [], status: .failed, details: .init(type: .failed, error: error))
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url, turnEnd: .commit)
            var conversation = Conversation(client)
            let turn = try #require(try await conversation.speak(speech).first)
            await client.close()
            #expect(turn.status == .failed)
            #expect(turn.reason == "generation_failed")
        }
    }

    @Test("A connection that ends in the middle of a turn is an error that says who ended it and why")
    func earlyClose() async throws {
        let script: @Sendable (StubDaemon) async -> Void = { daemon in
            await daemon.takePackets(2)
            daemon.connection.close(code: .goingAway, reason: "the daemon stops")
            await daemon.drain()
        }
        try await StubDaemon.with(script: script) { url in
            let client = try await RealtimeClient.connect(to: url)
            var conversation = Conversation(client)
            let error = await #expect(throws: ClientError.self) { try await conversation.speak(speech) }
            await client.close()
            #expect(error?.description.contains("1001 (the daemon stops)") == true)
        }
    }

    @Test("Cancelling ends the turn at once, and the goodbye is said")
    func cancellation() async throws {
        let goodbye = Mutexed<WebSocketClosure?>(nil)
        let handler: @Sendable (StubDaemon) async -> Void = { daemon in
            for await message in daemon.connection.messages {
                if case .closed(let closure) = message { goodbye.change { $0 = closure } }
            }
        }
        try await StubDaemon.with(script: handler) { url in
            let client = try await RealtimeClient.connect(to: url)
            let minute = RecordedSpeech(samples: [Float](repeating: 0.1, count: 60 * 16_000))
            let turn = Task {
                var conversation = Conversation(client)
                return try await conversation.speak(minute)
            }
            try await Task.sleep(for: .milliseconds(50))
            turn.cancel()
            await #expect(throws: CancellationError.self) { try await turn.value }
            await client.close()
        }
        #expect(goodbye.value?.code == .normal)
        #expect(goodbye.value?.initiator == .peer)
    }

    @Test("Where nobody listens, the error says so and what to do")
    func notListening() async throws {
        // A port that was free a moment ago.
        let url = try await StubDaemon.serve({ _ in }) { $0 }
        let error = await #expect(throws: ClientError.self) { _ = try await RealtimeClient.connect(to: url) }
        #expect(error?.description == "no daemon listens at \(url): start one with `make run`")
        #expect(error?.isFailureToConnect == true)
    }

    @Test("Another path, another program: errors that tell them apart")
    func wrongServers() async throws {
        try await StubDaemon.serve({ $0.send(text: "hello") }) { url in
            let path = url.replacingOccurrences(of: "/v1/realtime", with: "/other")
            let missing = await #expect(throws: ClientError.self) { _ = try await RealtimeClient.connect(to: path) }
            #expect(missing?.description.contains("there is no such door") == true)
            let strange = await #expect(throws: ClientError.self) { _ = try await RealtimeClient.connect(to: url) }
            guard case .wrongProtocol? = strange else {
                Issue.record("\(String(describing: strange))")
                return
            }
        }
        let url = await #expect(throws: ClientError.self) { _ = try await RealtimeClient.connect(to: "http://x/") }
        #expect(url?.isFailureToConnect == true)
    }

    @Test("A server that says nothing is given up")
    func silentServer() async throws {
        try await StubDaemon.serve({ for await _ in $0.messages {} }) { url in
            await #expect(throws: ClientError.wrongProtocol("no session was ready after 0 s")) {
                _ = try await RealtimeClient.connect(to: url, timeout: .milliseconds(50))
            }
        }
    }

    @Test("Speech from a pipe is spoken as it comes, and the end of the pipe is the end of the speech")
    func pipe() async throws {
        let pipe = Pipe()
        let samples = StubDaemon.tone(samples: 4410, sampleRate: 44_100)
        pipe.fileHandleForWriting.write(Data(PCM16.bytes(samples)))
        try pipe.fileHandleForWriting.close()
        let source = try PipedSpeech(descriptor: pipe.fileHandleForReading.fileDescriptor, sampleRate: 44_100)
        var total = 0
        while case let piece = try await source.next(320), !piece.isEmpty {
            #expect(piece.count == 320 || total + piece.count == 1600)
            total += piece.count
        }
        #expect(total == 1600)
    }

    @Test("Waiting for a pipe can be cancelled")
    func silentPipe() async throws {
        let pipe = Pipe()
        let source = try PipedSpeech(descriptor: pipe.fileHandleForReading.fileDescriptor, sampleRate: 16_000)
        let reading = Task { try await source.next(320) }
        try await Task.sleep(for: .milliseconds(20))
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        try pipe.fileHandleForWriting.close()
    }
}

/// The first packets of a recording, of which nobody knows whether speech follows.
private struct Endless: SpeechSource {
    private var recording: RecordedSpeech
    private var left: Int

    init(_ recording: RecordedSpeech, packets: Int) {
        self.recording = recording
        left = packets
    }

    mutating func next(_ count: Int) -> [Float] {
        guard left > 0 else { return [] }
        left -= 1
        return recording.next(count)
    }

    var isKnownToBeSilent: Bool { false }
    var isLive: Bool { false }
}

/// A value that a script and its test share.
final class Mutexed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
