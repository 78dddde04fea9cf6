import AnyGPT
import Audio
import Client
import Foundation
import Logging
import Server
import TestDaemon
import TestSupport
import Testing
import WebSockets
import Wire

/// The real daemon with the models of the repository, on a port of its own, and real clients.
@Suite("The daemon", .serialized) struct RealtimeTests {
    static let root = Golden.tests.deletingLastPathComponent()

    /// A daemon that lives for the body.
    private func withDaemon(
        _ change: (inout Configuration) -> Void = { _ in }, _ body: (Daemon) async throws -> Void
    ) async throws {
        var configuration = try shippedConfiguration()
        configuration.seed = 7
        configuration.sampling.text.maxNewTokens = 6
        configuration.sampling.speech.maxNewTokens = 120
        configuration.sampling.speech.minNewTokens = 110
        change(&configuration)
        try await TestDaemon.withDaemon(configuration, body)
    }

    /// A recorded question at 16 kHz, with the silence that ends it.
    private func question(silence seconds: Double = 1) throws -> [Float] {
        let clip = try AudioFile.read(Golden.file("chain", "question.wav").path)
        return clip.mono() + [Float](repeating: 0, count: Int(seconds * 16_000))
    }

    @Test("a spoken turn: transcript, reply, speech in packets that leave before the last token is drawn")
    func spokenTurn() async throws {
        try await withDaemon({ $0.speech.firstChunkFrames = 10 }) { daemon in
            let client = try await TestClient(port: daemon.port)
            try await client.speak(try question())
            let turn = try await client.untilDone()
            #expect(turn.names.first == "session.created")
            let order = [
                "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed", "response.created", "response.output_item.added",
                "response.content_part.added", "response.output_audio.done", "response.output_item.done",
                "anygpt.response.timing", "response.done",
            ]
            #expect(turn.names.filter(order.contains) == order)
            #expect(turn.done?.status == .completed)
            let timing = try #require(turn.timing)
            #expect(timing.packetsBeforeLastToken > 0, "sound leaves before the answer is complete")
            #expect(timing.packets == turn.frames.count)
            #expect(turn.frames.map(\.sequence) == (0..<UInt32(turn.frames.count)).map { $0 })
            #expect(turn.frames.first?.isFirst == true && turn.frames.last?.isLast == true)
            #expect(turn.frames.count { $0.isLast } == 1)
            // One packet of 20 ms for each speech token, and the encoder's lookahead.
            #expect((timing.outputAudioTokens...timing.outputAudioTokens + 2).contains(turn.frames.count))
            let decoder = try OpusDecoder()
            let sound = try turn.frames.flatMap { try decoder.decode($0.packet) }
            #expect(sound.contains { abs($0) > 1e-4 }, "the reply is not silence")
            await client.close()
        }
    }

    @Test("manual mode: append, commit, response.create; an empty commit is an error and the session lives on")
    func manual() async throws {
        try await withDaemon { daemon in
            let client = try await TestClient(port: daemon.port)
            try client.send(#"{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}"#)
            try client.send(#"{"type":"input_audio_buffer.commit","event_id":"mine"}"#)
            let refused = try await client.next { $0.name == "error" }
            #expect(refused.error?.code == .inputAudioBufferCommitEmpty && refused.error?.eventID == "mine")
            try await client.speak(try question(silence: 0))
            try client.send(#"{"type":"input_audio_buffer.commit"}"#)
            try client.send(#"{"type":"response.create","response":{"output_modalities":["text"]}}"#)
            let turn = try await client.untilDone()
            #expect(turn.done?.status == .completed)
            #expect(turn.frames.isEmpty, "text only")
            #expect(turn.names.contains("response.output_text.done"))
            #expect(!turn.names.contains("input_audio_buffer.speech_started"))
            await client.close()
        }
    }

    @Test("bad input is answered by name, and the session lives on", arguments: [false, true])
    func badInput(_ opus: Bool) async throws {
        try await withDaemon({ $0.server.maxMessageBytes = 4096 }) { daemon in
            let client = try await TestClient(port: daemon.port, subprotocol: opus ? OpusSubprotocol.name : nil)
            func code(_ send: () throws -> Void) async throws -> WireError.Code? {
                try send()
                return try await client.next { $0.name == "error" }.error?.code
            }
            #expect(try await code { try client.send("hello") } == .invalidJSON)
            #expect(try await code { try client.send("[1,2]") } == .invalidJSON)
            #expect(try await code { try client.send(#"{"type":"no.such.event"}"#) } == .unknownEvent)
            #expect(try await code { try client.send(#"{"type":"input_audio_buffer.append"}"#) } == .missingField)
            #expect(try await code { try client.send(#"{"type":"response.create"}"#) } == .invalidValue)
            #expect(try await code { try client.send(#"{"type":"response.cancel"}"#) } == .responseCancelNotActive)
            #expect(
                try await code { try client.send(#"{"type":"conversation.item.delete","item_id":"x"}"#) }
                    == .itemNotFound)
            #expect(
                try await code { try client.send("\"" + String(repeating: "a", count: 5000) + "\"") }
                    == .messageTooLarge)
            #expect(try await code { client.connection.send(binary: [9, 9, 9]) } == .invalidFrame)
            // Malformed Opus is no error: it is concealed, as a lost packet would be.
            if opus {
                for length in [1, 2, 50, 400] {
                    client.connection.send(
                        binary: ClientAudioFrame(packet: (0..<length).map { _ in UInt8.random(in: 0...255) }).bytes)
                }
            }
            try client.send(#"{"type":"session.update","session":{}}"#)
            _ = try await client.next { $0.name == "session.updated" }
            await client.close()
        }
    }

    @Test("a written question is answered in text; the client's name for the item is kept")
    func written() async throws {
        try await withDaemon { daemon in
            let client = try await TestClient(port: daemon.port)
            try client.send(
                #"""
                {"type":"conversation.item.create","item":{"type":"message","role":"user","id":"mine",
                "content":[{"type":"input_text","text":"what is your name"}]}}
                """#)
            try client.send(
                #"{"type":"response.create","response":{"output_modalities":["text"],"metadata":{"k":"v"}}}"#)
            let turn = try await client.untilDone()
            #expect(turn.items.contains("mine"))
            #expect(turn.done?.metadata == .object(["k": .string("v")]))
            #expect(turn.done?.status == .completed)
            try client.send(#"{"type":"conversation.item.delete","item_id":"mine"}"#)
            _ = try await client.next { $0.name == "conversation.item.deleted" }
            await client.close()
        }
    }

    @Test("two sessions at once have their own conversations") func twoSessions() async throws {
        try await withDaemon { daemon in
            let alone = try await TestClient(port: daemon.port)
            try await alone.speak(try question())
            let expected = try await alone.untilDone()
            await alone.close()
            // The same seed and the same sound give the same answer, whatever the neighbour does.
            let (first, second) = (try await TestClient(port: daemon.port), try await TestClient(port: daemon.port))
            async let one: Void = first.speak(try question())
            async let two: Void = second.speak(
                [Float](try question().reversed()) + [Float](repeating: 0, count: 16_000))
            _ = try await (one, two)
            let turn = try await first.untilDone()
            #expect(turn.transcript == expected.transcript && turn.reply == expected.reply)
            #expect(turn.frames.map(\.packet) == expected.frames.map(\.packet))
            _ = try await second.untilDone()
            await first.close()
            await second.close()
        }
    }

    @Test("speech during the reply stops it; what was heard stays in the conversation, the next turn is answered")
    func bargeIn() async throws {
        try await withDaemon({
            $0.sampling.speech.maxNewTokens = 500
            $0.sampling.speech.minNewTokens = 490
            $0.speech.lead = 0.5
        }) { daemon in
            let client = try await TestClient(port: daemon.port)
            try await client.speak(try question())
            _ = try await client.next { $0.frame != nil }
            try await Task.sleep(for: .seconds(2))
            try await client.speak(try question())
            let first = try await client.untilDone()
            #expect(first.done?.status == .cancelled)
            #expect(first.done?.statusDetails?.reason == "turn_detected")
            #expect(first.frames.count < 400)
            let second = try await client.untilDone()
            #expect(second.done?.status == .completed)
            let (before, after) = (try #require(first.timing), try #require(second.timing))
            // Two seconds were heard (more on a busy machine) of ten: a hundred frames, and the little between turns.
            let kept = after.inputTokens - before.inputTokens - after.inputAudioTokens
            #expect((90...420).contains(kept), "\(kept) tokens of the interrupted answer are left")
            await client.close()
        }
    }

    @Test("where interrupting is not allowed, a second question is answered after the first, with its transcript")
    func patience() async throws {
        try await withDaemon { daemon in
            let client = try await TestClient(port: daemon.port)
            try client.send(
                #"""
                {"type":"session.update","session":{"audio":{"input":{"turn_detection":
                {"type":"server_vad","interrupt_response":false}}}}}
                """#)
            try await client.speak(try question())
            // The second question is spoken when the first reply is to be heard already.
            var namesBefore: [String] = []
            while true {
                let incoming = try await client.receive()
                if incoming.frame != nil { break }
                namesBefore.append(incoming.name)
            }
            try await client.speak(try question())
            let (first, second) = (try await client.untilDone(), try await client.untilDone())
            #expect(first.done?.status == .completed && second.done?.status == .completed)
            // The first reply is played to its end, though the person speaks meanwhile.
            #expect(first.frames.last?.isLast == true)
            #expect(first.frames.count + 1 == first.timing?.packets)
            #expect(try #require(second.timing).inputTokens > #require(first.timing).inputTokens)
            for turn in [first, second] { #expect(try #require(turn.timing).inputAudioTokens > 50) }
            for names in [namesBefore + first.names, second.names] {
                #expect(names.contains("conversation.item.input_audio_transcription.completed"))
            }
            await client.close()
        }
    }

    @Test("response.cancel stops the reply by the client's wish") func cancel() async throws {
        try await withDaemon({ $0.sampling.speech.minNewTokens = 119 }) { daemon in
            let client = try await TestClient(port: daemon.port)
            try await client.speak(try question())
            _ = try await client.next { $0.name == "response.created" }
            try client.send(#"{"type":"response.cancel"}"#)
            let turn = try await client.untilDone()
            #expect(turn.done?.status == .cancelled)
            #expect(turn.done?.statusDetails?.reason == "client_cancelled")
            await client.close()
        }
    }

    @Test("shutting down says goodbye with 1001, also in the middle of a reply, well within five seconds")
    func shutdown() async throws {
        var configuration = try shippedConfiguration()
        configuration.sampling.text.maxNewTokens = 6
        let daemon = try await Daemon(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let client = try await TestClient(port: daemon.port)
        try await client.speak(try question())
        _ = try await client.next { $0.name == "response.created" }
        let clock = ContinuousClock()
        let start = clock.now
        await daemon.shutdown()
        #expect(clock.now - start < .seconds(4))
        #expect(try await client.closure().code == .goingAway)
    }

    @Test("/healthz tells how it is; other paths and other protocols are told what there is") func doors() async throws
    {
        try await withDaemon { daemon in
            let health = try await HealthProbe.ask("http://127.0.0.1:\(daemon.port)")
            #expect(health.status == .ok && health.sessions == 0 && health.version == Daemon.version)
            await #expect(throws: WebSocketError.self) {
                _ = try await WebSocketClient.connect(
                    url: "ws://127.0.0.1:\(daemon.port)/v1/realtime", subprotocol: "no.such.protocol")
            }
            await #expect(throws: WebSocketError.self) {
                _ = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(daemon.port)/elsewhere")
            }
        }
    }
}
