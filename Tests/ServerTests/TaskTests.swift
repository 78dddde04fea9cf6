import Audio
import Client
import Foundation
import Server
import TestDaemon
import TestSupport
import Testing
import Wire

/// Transcribing and reading aloud, through a real daemon with the default model, which has learned both.
@Suite("Tasks", .serialized, .timeLimit(.minutes(3))) struct TaskTests {
    private static let question = Golden.tests.deletingLastPathComponent().appending(
        path: "Models/pocket/demo/question")

    private func withClient(_ body: (RealtimeClient) async throws -> Void) async throws {
        try await withDaemon(shippedConfiguration()) { daemon in
            let client = try await RealtimeClient.connect(
                to: "ws://127.0.0.1:\(daemon.port)/v1/realtime", turnEnd: .commit)
            try await body(client)
            await client.close()
        }
    }

    /// Everything up to the response's end.
    private func events(of client: RealtimeClient) async throws -> (events: [ServerEvent], packets: Int) {
        var (events, packets): ([ServerEvent], Int) = ([], 0)
        while true {
            switch try await client.next() {
            case .audio: packets += 1
            case .event(let event):
                events.append(event)
                if case .responseDone = event { return (events, packets) }
                if case .error = event { return (events, packets) }
            }
        }
    }

    private func speak(_ client: RealtimeClient) async throws {
        let clip = try AudioFile.read(Self.question.appendingPathExtension("wav").path)
        let encoder = try OpusEncoder()
        for packet in try encoder.encode(clip.mono(sampleRate: 16_000)) + encoder.finish() {
            await client.send(packet: packet.bytes)
        }
        client.send(.inputAudioBufferCommit)
    }

    private func ask(_ task: ResponseTask, _ client: RealtimeClient, modality: OutputModality? = nil) {
        var parameters = ResponseParameters()
        (parameters.task, parameters.outputModality) = (task, modality)
        client.send(.responseCreate(parameters))
    }

    private func write(_ text: String, _ client: RealtimeClient) {
        client.send(.conversationItemCreate(after: nil, item: .message(role: .user, content: [.inputText(text)])))
    }

    @Test("what was said is written down, as text and as the item's transcript, and not answered")
    func transcribing() async throws {
        let expected = try String(contentsOf: Self.question.appendingPathExtension("txt"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        try await withClient { client in
            try await speak(client)
            ask(.transcribe, client)
            let (events, packets) = try await events(of: client)
            let text = events.compactMap { if case .outputTextDone(_, let text) = $0 { text } else { nil } }
            let transcripts = events.compactMap {
                if case .inputTranscriptionCompleted(let done) = $0 { done.transcript } else { nil }
            }
            #expect(text == [expected] && transcripts == [expected] && packets == 0)
        }
    }

    @Test("what was written is said, without any text, and the conversation goes on after it")
    func reading() async throws {
        try await withClient { client in
            write("the capital of france is paris", client)
            ask(.readAloud, client)
            let (spoken, packets) = try await events(of: client)
            // Two seconds and a half, in packets of 20 ms.
            #expect((75...200).contains(packets))
            let text = spoken.compactMap {
                if case .outputTranscriptDelta(_, let delta) = $0 { delta } else { nil }
            }
            #expect(text.isEmpty)
            write("how are you", client)
            var parameters = ResponseParameters()
            parameters.outputModality = .text
            client.send(.responseCreate(parameters))
            let answer = try await events(of: client).events.compactMap {
                if case .outputTextDone(_, let text) = $0 { text } else { nil }
            }
            #expect(answer.first?.isEmpty == false)
        }
    }

    @Test("a task that does not fit the question is refused, and the question can still be answered")
    func refusals() async throws {
        try await withClient { client in
            write("hello", client)
            for (task, modality) in [(ResponseTask.transcribe, nil), (.readAloud, OutputModality.text)] {
                ask(task, client, modality: modality)
                let events = try await events(of: client).events
                guard case .error(let error)? = events.last else {
                    Issue.record("\(task.rawValue) was not refused")
                    continue
                }
                #expect(error.code == .invalidValue && error.param == "response.task")
            }
            ask(.readAloud, client)
            #expect(try await events(of: client).packets > 0)
            try await speak(client)
            ask(.readAloud, client)
            guard case .error? = try await events(of: client).events.last else {
                Issue.record("speech was read aloud")
                return
            }
        }
    }
}
