import Testing

@testable import Wire

/// Reads a client's text.
func client(_ text: String) throws(WireError) -> ClientMessage { try ClientMessage(parsing: Array(text.utf8)) }

@Suite struct ClientEventTests {
    @Test func aSessionUpdateChangesOnlyWhatItNames() throws {
        let message = try client(
            """
            {"type": "session.update", "event_id": "e1", "session": {"type": "realtime", "instructions": "Be brief.",
             "output_modalities": ["text"], "max_output_tokens": "inf", "tool_choice": "none", "include": ["x"],
             "audio": {"input": {"format": {"type": "audio/pcmu"}, "noise_reduction": null,
               "turn_detection": {"type": "semantic_vad", "eagerness": "low", "interrupt_response": false}},
              "output": {"voice": {"id": "v"}, "speed": 1.25}}}}
            """)
        #expect(message.eventID == "e1")
        guard case .sessionUpdate(let update) = message.event else {
            Issue.record("not an update")
            return
        }
        var before = SessionConfiguration(id: "s", model: "anygpt", voice: Voice("default"))
        before.transcription = TranscriptionSettings(model: "whisper-1")
        before.noiseReduction = NoiseReduction(type: "near_field")
        let after = before.applying(update)
        var expected = before
        expected.instructions = "Be brief."
        expected.outputModality = .text
        expected.toolChoice = .string("none")
        expected.inputFormat = .pcmu
        expected.noiseReduction = nil
        var detection = TurnDetection.SemanticVAD()
        detection.eagerness = .low
        detection.interruptResponse = false
        expected.turnDetection = .semanticVAD(detection)
        expected.voice = Voice("v")
        expected.speed = 1.25
        #expect(after == expected)
        #expect(detection.maximumWait == .seconds(8))
    }

    @Test(arguments: [
        (#"{}"#, Patch<TurnDetection>.keep),
        (#"{"audio": {}}"#, .keep),
        (#"{"audio": {"input": {"turn_detection": null}}}"#, .clear),
        (#"{"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}"#, .set(.serverVAD(.init()))),
    ])
    func absentAndNullAreNotTheSame(session: String, expected: Patch<TurnDetection>) throws {
        guard case .sessionUpdate(let update) = try client(#"{"type": "session.update", "session": \#(session)}"#).event
        else {
            Issue.record("not an update")
            return
        }
        #expect(update.turnDetection == expected)
        #expect(
            update.turnDetection.applied(to: nil) == (expected == .set(.serverVAD(.init())) ? .serverVAD(.init()) : nil)
        )
    }

    @Test func serverVADHasOpenAIsDefaults() throws {
        let update = try client(
            #"{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.7}}}}}"#
        )
        guard case .sessionUpdate(let session) = update.event, case .set(.serverVAD(let vad)) = session.turnDetection
        else {
            Issue.record("no server_vad")
            return
        }
        #expect(vad.threshold == 0.7)
        #expect(vad.prefixPaddingMilliseconds == 300 && vad.silenceDurationMilliseconds == 500)
        #expect(vad.createResponse && vad.interruptResponse)
    }

    @Test func theOtherEventsAreRead() throws {
        #expect(
            try client(#"{"type":"input_audio_buffer.append","audio":"AAEC/w=="}"#).event
                == .inputAudioBufferAppend([0, 1, 2, 255]))
        #expect(try client(#"{"type":"input_audio_buffer.commit"}"#).event == .inputAudioBufferCommit)
        #expect(try client(#"{"type":"input_audio_buffer.clear"}"#).event == .inputAudioBufferClear)
        #expect(try client(#"{"type":"output_audio_buffer.clear"}"#).event == .outputAudioBufferClear)
        #expect(
            try client(
                #"""
                {"type":"conversation.item.create","previous_item_id":"root","item":{"id":"mine","type":"message",
                 "role":"user","content":[{"type":"input_text","text":"hi"},{"type":"input_image","image_url":"data:x"},
                 {"type":"input_audio","audio":"AA=="}]}}
                """#
            ).event
                == .conversationItemCreate(
                    after: "root",
                    item: .message(
                        id: "mine", role: .user,
                        content: [
                            .inputText("hi"), .inputImage(.url("data:x"), detail: nil),
                            .inputAudio(audio: [0], transcript: nil),
                        ])))
        #expect(
            try client(
                #"{"type":"conversation.item.truncate","item_id":"i","content_index":0,"audio_end_ms":1500}"#
            ).event == .conversationItemTruncate(itemID: "i", contentIndex: 0, audioEndMilliseconds: 1500))
        #expect(
            try client(#"{"type":"conversation.item.delete","item_id":"i"}"#).event
                == .conversationItemDelete(itemID: "i"))
        #expect(
            try client(#"{"type":"conversation.item.retrieve","item_id":"i"}"#).event
                == .conversationItemRetrieve(itemID: "i"))
        #expect(try client(#"{"type":"response.cancel"}"#).event == .responseCancel(responseID: nil))
        #expect(try client(#"{"type":"response.create"}"#).event == .responseCreate(ResponseParameters()))
        var reading = ResponseParameters()
        reading.task = .readAloud
        #expect(
            try client(#"{"type":"response.create","response":{"task":"read_aloud"}}"#).event
                == .responseCreate(reading))
        var parameters = ResponseParameters()
        parameters.metadata = .object(["client_event_id": .string("response_create_1"), "n": .integer(1)])
        parameters.outputModality = .audio
        parameters.voice = Voice("alloy")
        parameters.maxOutputTokens = .count(100)
        #expect(
            try client(
                #"""
                {"type":"response.create","response":{"output_modalities":["audio"],"max_output_tokens":100,
                 "metadata":{"client_event_id":"response_create_1","n":1},"audio":{"output":{"voice":"alloy"}}}}
                """#
            ).event == .responseCreate(parameters))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var update = SessionUpdate()
        update.turnDetection = .clear
        update.transcription = .set(TranscriptionSettings(model: "m", language: "de"))
        update.outputFormat = .pcma
        let events: [ClientEvent] = [
            .sessionUpdate(update), .inputAudioBufferAppend([1, 2, 3]), .inputAudioBufferCommit,
            .inputAudioBufferClear, .outputAudioBufferClear, .conversationItemRetrieve(itemID: "a"),
            .conversationItemCreate(
                after: nil,
                item: ConversationItem(
                    id: "f", status: .completed, kind: .functionCall(callID: "c", name: "n", arguments: "{}"))),
            .conversationItemCreate(
                after: "f", item: ConversationItem(kind: .functionCallOutput(callID: "c", output: "1"))),
            .conversationItemTruncate(itemID: "a", contentIndex: 1, audioEndMilliseconds: 20),
            .conversationItemDelete(itemID: "a"), .responseCreate(ResponseParameters()),
            .responseCancel(responseID: "r"),
        ]
        for event in events {
            let message = ClientMessage(event, eventID: "e")
            #expect(try ClientMessage(parsing: message.encoded()) == message)
        }
    }

    @Test(
        arguments: [
            ("not json", "invalid_json", nil), ("", "invalid_json", nil), ("[1]", "invalid_json", nil),
            ("{\"type\":", "invalid_json", nil), ("3", "invalid_json", nil),
            ("{}", "missing_field", "type"),
            (#"{"type": 3}"#, "invalid_value", "type"),
            (#"{"type": "response.explode"}"#, "unknown_event", "type"),
            (#"{"type": "session.created"}"#, "unknown_event", "type"),
            (#"{"type": "session.update"}"#, "missing_field", "session"),
            (#"{"type": "session.update", "session": null}"#, "invalid_value", "session"),
            (#"{"type": "session.update", "session": {"type": "transcription"}}"#, "invalid_value", "session.type"),
            (
                #"{"type": "session.update", "session": {"output_modalities": ["audio", "text"]}}"#, "invalid_value",
                "session.output_modalities"
            ),
            (
                #"{"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/mp3"}}}}}"#,
                "invalid_value", "session.audio.input.format.type"
            ),
            (
                #"{"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}}}"#,
                "invalid_value", "session.audio.input.format.rate"
            ),
            (
                #"{"type": "session.update", "session": {"audio": {"input": {"turn_detection": {"threshold": 2}}}}}"#,
                "invalid_value", "session.audio.input.turn_detection.threshold"
            ),
            (
                #"{"type": "session.update", "session": {"audio": {"input": {"turn_detection": {"silence_duration_ms": 1e400}}}}}"#,
                "invalid_value", "session.audio.input.turn_detection.silence_duration_ms"
            ),
            (
                #"{"type": "session.update", "session": {"max_output_tokens": 0}}"#, "invalid_value",
                "session.max_output_tokens"
            ),
            (
                #"{"type": "session.update", "session": {"audio": {"output": {"speed": 9}}}}"#, "invalid_value",
                "session.audio.output.speed"
            ),
            (#"{"type": "input_audio_buffer.append"}"#, "missing_field", "audio"),
            (#"{"type": "input_audio_buffer.append", "audio": "???"}"#, "invalid_value", "audio"),
            (#"{"type": "conversation.item.delete"}"#, "missing_field", "item_id"),
            (
                #"{"type": "conversation.item.create", "item": {"type": "message", "content": []}}"#, "missing_field",
                "item.role"
            ),
            (
                #"{"type": "conversation.item.create", "item": {"role": "user", "content": [{"type": "input_text"}]}}"#,
                "missing_field", "item.content[0].text"
            ),
            (
                #"{"type": "conversation.item.create", "item": {"role": "user", "content": [{"type": "smell"}]}}"#,
                "invalid_value", "item.content[0].type"
            ),
            (#"{"type": "conversation.item.truncate", "item_id": "i"}"#, "missing_field", "audio_end_ms"),
            (
                #"{"type": "conversation.item.truncate", "item_id": "i", "audio_end_ms": -1}"#, "invalid_value",
                "audio_end_ms"
            ),
        ] as [(String, String, String?)])
    func whatIsWrongIsNamed(text: String, code: String, param: String?) {
        let error = #expect(throws: WireError.self) { try client(text) }
        #expect(error?.code.rawValue == code, "\(text): \(String(describing: error))")
        #expect(error?.param == param)
        #expect(error?.kind == .invalidRequest)
        #expect(error?.message.isEmpty == false)
    }

    @Test func anErrorNamesTheEventItIsAbout() {
        let error = #expect(throws: WireError.self) { try client(#"{"type":"x","event_id":"mine"}"#) }
        #expect(error?.eventID == "mine")
    }
}
