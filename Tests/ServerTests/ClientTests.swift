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
