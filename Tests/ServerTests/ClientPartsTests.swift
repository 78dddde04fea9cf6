import Audio
import Foundation
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Client

@Suite("The pace of real time")
struct PaceTests {
    @Test("However late each sleep ends, the moments do not drift")
    func noDrift() async throws {
        let clock = SleepingClock(lateness: .milliseconds(7))
        var pace = Pace(clock, interval: .milliseconds(20))
        for moment in 1...500 {
            try await pace.wait()
            #expect(clock.now.offset == .milliseconds(20 * moment + 7))
        }
    }

    @Test("What comes late is caught up with, packet by packet")
    func catchingUp() async throws {
        let clock = SleepingClock()
        var pace = Pace(clock, interval: .milliseconds(20))
        clock.pass(.milliseconds(50))
        for expected in [50, 50, 60, 80] {
            try await pace.wait()
            #expect(clock.now.offset == .milliseconds(expected))
        }
    }

    @Test("Live sound that was not there yet moves all that follows")
    func lateSource() async throws {
        let clock = SleepingClock()
        var pace = Pace(clock, interval: .milliseconds(20))
        pace.startLate()
        #expect(pace.next.offset == .milliseconds(20))
        clock.pass(.milliseconds(50))
        pace.startLate()
        for expected in [50, 70, 90] {
            try await pace.wait()
            #expect(clock.now.offset == .milliseconds(expected))
        }
    }
}

@Suite("The sending of speech, on a clock of its own")
struct SpeechSenderTests {
    /// What is done with a packet: told its number.
    private func sender(
        _ clock: SleepingClock, _ turnEnd: RealtimeClient.TurnEnd, _ ledger: SharedLedger = SharedLedger(),
        events: Mutexed<[String]> = Mutexed([]), packet: @escaping @Sendable (Int) -> Bool
    ) -> SpeechSender<SleepingClock> {
        let count = Mutexed(0)
        return SpeechSender(
            clock: clock, start: clock.now, turnEnd: turnEnd, silenceLimit: .seconds(10), ledger: ledger,
            request: ResponseParameters(),
            sendPacket: { _ in
                count.change { $0 += 1 }
                return packet(count.value)
            }, sendEvent: { event in events.change { $0.append(event.type) } })
    }

    @Test("A minute of speech is sent in a minute, packet by packet")
    func realTime() async throws {
        let clock = SleepingClock(lateness: .milliseconds(3))
        let times = Mutexed<[Duration]>([])
        let events = Mutexed<[String]>([])
        let speech = RecordedSpeech(samples: [Float](repeating: 0.1, count: 60 * 16_000))
        let ledger = SharedLedger()
        let all = try await sender(clock, .commit, ledger, events: events) { _ in
            times.change { $0.append(clock.now.offset) }
            return true
        }.send(speech)
        #expect(all)
        // One more, for what the encoder holds back.
        #expect(times.value == (1...3001).map { .milliseconds(20 * $0 + 3) })
        #expect(events.value == ["input_audio_buffer.commit", "response.create"])
        var turn = ledger.state.withLock { $0 }
        _ = try turn.take(.inputAudioBufferCommitted(.init(previousItemID: nil, itemID: "a")), at: .seconds(61))
        #expect(turn.turns.first?.times.lastSampleSent == .milliseconds(60_023))
    }

    @Test("The last sample of speech is the last one with voice in it")
    func lastVoice() async throws {
        let clock = SleepingClock()
        let question = try AudioFile.read(Golden.file("chain", "question.wav").path).mono(sampleRate: 16_000)
        let speech = RecordedSpeech(samples: question + [Float](repeating: 0, count: 2 * 16_000))
        let ledger = SharedLedger()
        let heard = Mutexed(SpeechHeard(ledger))
        let all = try await sender(clock, .silence, ledger) { packet in
            // The server finds the speech, and its end after 2.4 s at the latest.
            if packet == 10 { heard.value.start() }
            if packet == (question.count + 16_000) / 320 {
                heard.value.stop(at: clock.now.offset)
                heard.value.answer(at: clock.now.offset)
            }
            return true
        }.send(speech)
        #expect(all)
        let turn = try #require(ledger.state.withLock { $0.turns.first })
        let last = try #require(turn.times.lastSampleSent)
        #expect(last <= .seconds(Double(question.count) / 16_000) + .milliseconds(200))
        #expect(last >= .milliseconds(500))
        // What is left of the silence in the recording is not sent.
        #expect(clock.now.offset == .milliseconds((question.count + 16_000) / 320 * 20))
    }

    @Test("Silence in which nothing was heard is given up")
    func noSpeech() async throws {
        let clock = SleepingClock()
        let speech = RecordedSpeech(samples: [Float](repeating: 0, count: 16_000))
        await #expect(throws: ClientError.noSpeechHeard) {
            _ = try await sender(clock, .silence) { _ in true }.send(speech)
        }
        #expect(clock.now.offset == .seconds(4))
    }

    @Test("A turn that the server never ends is given up")
    func endlessTurn() async throws {
        let clock = SleepingClock()
        let ledger = SharedLedger()
        SpeechHeard(ledger).start()
        let speech = RecordedSpeech(samples: [Float](repeating: 0, count: 16_000))
        await #expect(throws: ClientError.turnDidNotEnd(silence: .seconds(10))) {
            _ = try await sender(clock, .silence, ledger) { _ in true }.send(speech)
        }
    }

    @Test("A turn that is found late, when its silence was over already, gets its silence")
    func lateTurn() async throws {
        let clock = SleepingClock()
        let ledger = SharedLedger()
        let server = SpeechHeard(ledger)
        let speech = RecordedSpeech(samples: [Float](repeating: 0, count: 3200))
        let all = try await sender(clock, .silence, ledger) { packet in
            switch packet {
            case 2: server.start()
            case 12:
                // The first turn ends, and before its answer is done there is a second one.
                server.stop(at: clock.now.offset)
                server.start()
            case 20:
                server.stop(at: clock.now.offset)
                server.answer(at: clock.now.offset)
            default: break
            }
            return true
        }.send(speech)
        #expect(all)
        #expect(clock.now.offset == .milliseconds(400))
        #expect(ledger.state.withLock { $0.turns.count } == 2)
    }

    @Test("When the connection is over nothing more is sent")
    func connectionOver() async throws {
        let clock = SleepingClock()
        let speech = RecordedSpeech(samples: [Float](repeating: 0.1, count: 16_000))
        let all = try await sender(clock, .silence) { $0 < 4 }.send(speech)
        #expect(!all)
        #expect(clock.now.offset == .milliseconds(80))
    }

    /// The server's side of a ledger.
    private struct SpeechHeard: Sendable {
        let ledger: SharedLedger

        init(_ ledger: SharedLedger) { self.ledger = ledger }

        func start() { take(.speechStarted(.init(itemID: "a", audioStartMilliseconds: 0)), .zero) }

        func stop(at time: Duration) { take(.speechStopped(.init(itemID: "a", audioEndMilliseconds: 0)), time) }

        func answer(at time: Duration) { take(.responseDone(Response(id: "r", status: .completed)), time) }

        private func take(_ event: ServerEvent, _ time: Duration) {
            ledger.state.withLock { ledger in
                _ = try? ledger.take(event, at: time)
            }
        }
    }
}

@Suite("The reply's sound")
struct ReplySoundTests {
    @Test("What was not lost comes out as it went in, in length and in loudness")
    func whole() throws {
        let sound = try ReplySound()
        let samples = try StubDaemon.frames(25).flatMap { try sound.decode($0) }
        #expect(samples.count == 25 * 480)
        #expect(sound.isComplete)
        #expect(sound.concealedPackets == 0)
        let power = samples[4800...].reduce(0) { $0 + $1 * $1 } / Float(samples.count - 4800)
        // Two tones of amplitude 0.25: twice 1/32, roughly.
        #expect((0.03...0.09).contains(power))
    }

    @Test("Gaps are filled, up to what is worth it; packets that are no Opus are concealed; late ones are passed over")
    func gaps() throws {
        let frames = try StubDaemon.frames(400)
        let sound = try ReplySound()
        #expect(try sound.decode(frames[0]).count == 480)
        #expect(try sound.decode(frames[4]).count == 4 * 480)
        #expect(sound.lostPackets == 3)
        #expect(try sound.decode(frames[2]).isEmpty)
        #expect(sound.latePackets == 1)
        var broken = frames[5]
        broken.packet = [0xFF]
        #expect(try sound.decode(broken).count == 480)
        #expect(sound.malformedPackets == 1)
        // 7.8 s are missing: two are filled.
        #expect(try sound.decode(frames[396]).count == 2 * 24_000 + 480)
        #expect(sound.lostPackets == 3 + 390)
    }

    @Test("Numbers that make no sense do no harm")
    func hostile() throws {
        let sound = try ReplySound()
        var frame = try StubDaemon.frames(1)[0]
        frame.isFirst = false
        frame.sequence = .max
        frame.mediaTime = .max
        #expect(try sound.decode(frame).count <= 2 * 24_000 + 480)
        frame.mediaTime = 0
        frame.sequence = 0
        _ = try sound.decode(frame)
        frame.isFirst = true
        #expect(try sound.decode(frame).count == 480)
    }
}

@Suite("Speech from a pipe")
struct PipedSpeechTests {
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
