import Foundation
import Testing
import WebSockets
import Wire

@testable import Client

@Suite("A conversation that goes wrong")
struct ClientFailureTests {
    /// 100 ms of tone: five packets.
    private let speech = RecordedSpeech(samples: StubDaemon.tone(samples: 1600, sampleRate: 16_000))

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
        // The stub's reader is a task of its own, which may be told of the end a moment after the sockets are gone.
        for _ in 0..<500 where goodbye.value == nil { try await Task.sleep(for: .milliseconds(10)) }
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
}
