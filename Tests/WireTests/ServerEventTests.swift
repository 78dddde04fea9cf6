import Foundation
import Testing

@testable import Wire

@Suite struct ServerEventTests {
    private static let place = OutputPlace(responseID: "r", itemID: "i", outputIndex: 1, contentIndex: 2)
    private static let item = ConversationItem.message(
        id: "i", status: .completed, role: .assistant, content: [.outputAudio(audio: nil, transcript: "yes")])

    /// One of each.
    static let events: [ServerEvent] = {
        var session = SessionConfiguration(id: "sess_1", model: "anygpt", voice: Voice("default"))
        session.turnDetection = nil
        session.maxOutputTokens = .count(4096)
        let usage = Usage(
            input: Usage.InputDetails(
                textTokens: 30, audioTokens: 100, imageTokens: 32, cached: Usage.CachedDetails(textTokens: 10)),
            output: Usage.OutputDetails(textTokens: 20, audioTokens: 400))
        let done = Response(
            id: "r", status: .cancelled, statusDetails: .init(type: .cancelled, reason: "turn_detected"),
            output: [item], metadata: .object(["k": .string("v")]), usage: usage)
        var timing = ResponseTiming(responseID: "r")
        timing.endOfTurnMilliseconds = 512.5
        timing.packetsBeforeLastToken = 7
        return [
            .error(WireError(.invalidValue, "bad", param: "p", eventID: "e")),
            .sessionCreated(session), .sessionUpdated(session),
            .speechStarted(SpeechStarted(itemID: "i", audioStartMilliseconds: 20)),
            .speechStopped(SpeechStopped(itemID: "i", audioEndMilliseconds: 2020)),
            .inputAudioBufferCommitted(InputCommitted(previousItemID: nil, itemID: "i")),
            .inputAudioBufferCleared,
            .conversationItemAdded(ItemPlacement(previousItemID: nil, item: item)),
            .conversationItemDone(ItemPlacement(previousItemID: "h", item: item)),
            .conversationItemRetrieved(item),
            .conversationItemTruncated(ItemTruncated(itemID: "i", contentIndex: 0, audioEndMilliseconds: 100)),
            .conversationItemDeleted(itemID: "i"),
            .inputTranscriptionDelta(TranscriptionDelta(itemID: "i", contentIndex: 0, delta: "hel")),
            .inputTranscriptionCompleted(
                TranscriptionCompleted(
                    itemID: "i", contentIndex: 0, transcript: "hello", usage: .tokens(input: 100, output: 3))),
            .inputTranscriptionCompleted(
                TranscriptionCompleted(
                    itemID: "i", contentIndex: 0, transcript: "hello", usage: .duration(seconds: 1.5))),
            .inputTranscriptionFailed(
                TranscriptionFailed(itemID: "i", contentIndex: 0, error: WireError(.invalidValue, "no", kind: .server))),
            .responseCreated(Response(id: "r", status: .inProgress)), .responseDone(done),
            .outputItemAdded(OutputItem(responseID: "r", outputIndex: 0, item: item)),
            .outputItemDone(OutputItem(responseID: "r", outputIndex: 0, item: item)),
            .contentPartAdded(OutputPart(place: place, content: .audio(transcript: ""))),
            .contentPartDone(OutputPart(place: place, content: .text("a/b"))),
            .outputAudioDelta(place, audio: [0, 255, 1]), .outputAudioDone(place),
            .outputTranscriptDelta(place, delta: "he said \"ü\""), .outputTranscriptDone(place, transcript: "t"),
            .outputTextDelta(place, delta: "d"), .outputTextDone(place, text: "t"),
            .artifactProgress(
                ArtifactProgress(responseID: "r", itemID: "i", outputIndex: 1, kind: .image, step: 3, steps: 25)),
            .artifactDone(
                ArtifactDone(
                    responseID: "r", itemID: "i", outputIndex: 1,
                    artifact: Artifact(
                        id: "a", type: .image, mimeType: "image/png", bytes: 12, sha256: "00", url: "/v1/artifacts/a",
                        width: 768, height: 768))),
            .responseTiming(timing),
        ]
    }()

    @Test(arguments: events) func whatIsWrittenIsReadBack(event: ServerEvent) throws {
        let message = ServerMessage(event, eventID: "event_1")
        let bytes = message.encoded()
        #expect(try ServerMessage(parsing: bytes) == message)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        #expect(object["type"] as? String == event.type)
        #expect(object["event_id"] as? String == "event_1")
    }

    @Test func theTypesAreAllDifferentAndOursAreMarked() {
        let types = Set(Self.events.map(\.type))
        // Two of the list are the same event with another usage.
        #expect(types.count == Self.events.count - 1)
        #expect(
            Set(Self.events.filter { !$0.isOpenAI }.map(\.type)) == [
                "response.output_artifact.progress", "response.output_artifact.done", "anygpt.response.timing",
            ])
    }

    @Test func aSessionIsWrittenWithEveryKeyThatClientsReadIncludingNulls() throws {
        let bytes = ServerMessage(
            .sessionCreated(SessionConfiguration(id: "s", model: "m", voice: Voice("v"))), eventID: "e"
        ).encoded()
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"event_id":"e","session":{"audio":{"input":{"format":{"rate":24000,"type":"audio/pcm"},"#
                + #""noise_reduction":null,"transcription":null,"turn_detection":{"create_response":true,"#
                + #""interrupt_response":true,"prefix_padding_ms":300,"silence_duration_ms":500,"threshold":0.5,"#
                + #""type":"server_vad"}},"output":{"format":{"rate":24000,"type":"audio/pcm"},"speed":1,"voice":"v"}},"#
                + #""id":"s","instructions":"","max_output_tokens":"inf","model":"m","object":"realtime.session","#
                + #""output_modalities":["audio"],"tool_choice":"auto","tools":[],"type":"realtime"},"#
                + #""type":"session.created"}"#)
    }

    @Test func responseDoneHasTheFullUsage() throws {
        let done = try #require(
            Self.events.first { if case .responseDone = $0 { true } else { false } })
        let bytes = ServerMessage(done, eventID: "e").encoded()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(
            text.contains(
                #""usage":{"input_token_details":{"audio_tokens":100,"cached_tokens":10,"cached_tokens_details":"#
                    + #"{"audio_tokens":0,"image_tokens":0,"text_tokens":10},"image_tokens":32,"text_tokens":30},"#
                    + #""input_tokens":162,"output_token_details":{"audio_tokens":400,"text_tokens":20},"#
                    + #""output_tokens":420,"total_tokens":582}"#))
        #expect(text.contains(#""status_details":{"reason":"turn_detected","type":"cancelled"}"#))
        #expect(text.contains(#""object":"realtime.response""#))
    }

    @Test func theFirstItemHasANullBeforeIt() {
        let message = ServerMessage(
            .inputAudioBufferCommitted(InputCommitted(previousItemID: nil, itemID: "i")), eventID: "e")
        #expect(
            String(decoding: message.encoded(), as: UTF8.self)
                == #"{"event_id":"e","item_id":"i","previous_item_id":null,"type":"input_audio_buffer.committed"}"#)
    }

    @Test func aClientPassesOverWhatItDoesNotKnow() throws {
        let text = #"{"type":"rate_limits.updated","event_id":"e","rate_limits":[]}"#
        #expect(
            try ServerMessage(parsing: Array(text.utf8))
                == ServerMessage(
                    .unknown(type: "rate_limits.updated"), eventID: "e"))
    }

    @Test func healthSurvivesTheWire() throws {
        let health = Health(status: .ok, model: "m", version: "1", uptimeSeconds: 1.5, sessions: 2)
        #expect(try Health(parsing: health.encoded()) == health)
        #expect(
            String(decoding: health.encoded(), as: UTF8.self)
                == #"{"model":"m","sessions":2,"status":"ok","uptime_seconds":1.5,"version":"1"}"#)
    }
}
