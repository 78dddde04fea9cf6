import Foundation
import Testing

@testable import Wire

@Suite struct HostileJSONTests {
    @Test func deepNestingIsRefused() {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let deep = String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
            let error = #expect(throws: WireError.self) {
                try client(#"{"type":"response.create","response":{"metadata":\#(deep)}}"#)
            }
            #expect(error?.code == .invalidJSON)
        }
    }

    @Test func bracketsInsideStringsAreNoNesting() throws {
        let text = String(repeating: #"[{\"\\"#, count: 1000)
        #expect(
            try client(
                #"{"type":"conversation.item.create","item":{"role":"user","content":[{"type":"input_text","text":"\#(text)"}]}}"#
            ).event
                == .conversationItemCreate(
                    after: nil,
                    item: .message(role: .user, content: [.inputText(String(repeating: #"[{"\"#, count: 1000))])))
    }

    @Test func aFloodOfValuesIsRefusedAtOnce() {
        let flood = "[" + String(repeating: "1,", count: 1_000_000) + "1]"
        let start = ContinuousClock.now
        let error = #expect(throws: WireError.self) {
            try client(#"{"type":"response.create","response":{"metadata":\#(flood)}}"#)
        }
        #expect(error?.code == .invalidJSON)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    /// Each of these lists is a value that is tried as every kind, however few commas there are: 56,000 of them took seven
    /// seconds, and ten times as many were let in.
    @Test func aFloodOfListsIsRefusedAtOnceAndWhatIsTakenIsReadSoon() throws {
        func message(_ chains: Int) -> String {
            let chain = String(repeating: "[", count: 28) + "1" + String(repeating: "]", count: 28)
            let metadata = Array(repeating: chain, count: chains).joined(separator: ",")
            return #"{"type":"response.create","response":{"metadata":[\#(metadata)]}}"#
        }
        let start = ContinuousClock.now
        let error = #expect(throws: WireError.self) { try client(message(1500)) }
        #expect(error?.code == .invalidJSON)
        _ = try client(message(130))
        #expect(ContinuousClock.now - start < .seconds(5))
        let tool =
            #"{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}"#
        let tools = Array(repeating: tool, count: 200).joined(separator: ",")
        _ = try client(#"{"type":"session.update","session":{"type":"realtime","tools":[\#(tools)]}}"#)
    }

    @Test func tooLongATextIsRefused() {
        var limits = JSONLimits()
        limits.maxBytes = 10
        let error = #expect(throws: WireError.self) {
            try ClientMessage(parsing: Array(#"{"type":"response.cancel"}"#.utf8), limits: limits)
        }
        #expect(error?.code == .messageTooLarge)
    }

    @Test(arguments: [
        #"{"type":"input_audio_buffer.commit","x":123456789012345678901234567890}"#,
        #"{"type":"input_audio_buffer.commit","x":1e999999999}"#,
        #"{"type":"input_audio_buffer.commit","x":"\ud800"}"#,
        #"{"type":"input_audio_buffer.commit","type":"input_audio_buffer.clear"}"#,
        #"{"type":"response.create","response":{"metadata":{"n":1e999999,"m":-123456789012345678901234567890}}}"#,
        #"{"type":"response.create","response":{"instructions":"\udc00\ud800"}}"#,
        "{\"type\":\"response.create\",\"response\":{\"instructions\":\"a\u{0}b\"}}",
        #"{"type":"\u0000"}"#, #"{"type":"input_audio_buffer.commit"} {}"#, "\u{FEFF}{}",
    ])
    func oddTextsAreReadOrRefusedButNeverMore(text: String) {
        // What matters is that it comes back, with a message or with an error.
        do throws(WireError) {
            _ = try client(text)
        } catch {
            #expect(!error.message.isEmpty)
        }
    }

    @Test func damagedMessagesNeverDoMoreThanFail() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        let valid = Array(
            #"""
            {"type":"session.update","event_id":"e","session":{"type":"realtime","audio":{"input":{"format":{"type":
            "audio/pcm","rate":24000},"turn_detection":{"type":"server_vad","threshold":0.5}}},"tools":[{"a":[1,2.5]}]}}
            """#.utf8)
        for _ in 0..<3000 {
            var damaged = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: damaged[index] = .random(in: 0...255, using: &generator)
                case 1: damaged.remove(at: index)
                default: damaged.insert(damaged[index], at: Int.random(in: 0..<damaged.count, using: &generator))
                }
            }
            _ = try? ClientMessage(parsing: damaged)
            _ = try? ServerMessage(parsing: damaged)
            _ = try? Health(parsing: damaged)
        }
        for count in valid.indices { _ = try? ClientMessage(parsing: Array(valid.prefix(count))) }
    }

    @Test func aLongAppendIsReadFast() throws {
        // A minute of 24 kHz PCM in one message.
        let audio = [UInt8](repeating: 0x5A, count: 2_880_000)
        let bytes = ClientMessage(.inputAudioBufferAppend(audio)).encoded()
        let start = ContinuousClock.now
        let message = try ClientMessage(parsing: bytes)
        let time = ContinuousClock.now - start
        #expect(message.event == .inputAudioBufferAppend(audio))
        print("input_audio_buffer.append with \(bytes.count) bytes: \(time)")
        #expect(time < .seconds(5))
    }

    @Test func dataURIsAreRead() {
        #expect(DataURI("data:image/PNG;base64,AAE=")?.bytes == [0, 1])
        #expect(DataURI("data:image/PNG;charset=x;base64,AAE=")?.mediaType == "image/png")
        for text in [
            "", "data:", "data:,", "data:image/png,abc", "data:;base64,?", "http://a/b", "data:image/png;base64",
        ] {
            #expect(DataURI(text) == nil, "\(text)")
        }
    }
}
