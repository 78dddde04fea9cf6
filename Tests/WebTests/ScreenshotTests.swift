import Foundation
import Testing
import WebSockets

/// Pictures of the page in every state, for people to look at: `ANYGPT_SCREENSHOTS=folder swift test --filter ScreenshotTests`.
@Suite(
    "Screenshots", .serialized, .enabled(if: ProcessInfo.processInfo.environment["ANYGPT_SCREENSHOTS"] != nil))
struct ScreenshotTests {
    private static let sizes = [("desktop", 1280, 800), ("phone", 390, 844)]
    private static let schemes = ["light", "dark"]

    @Test func everyState() async throws {
        let (picture, music) = (Recordings.picture(size: 384), try await Recordings.music())
        let stub = try StubDaemon(
            files: ["/v1/artifacts/p": ("image/png", picture), "/v1/artifacts/m": ("audio/flac", music)],
            makes: ["image", "music"])
        try await Recordings.with("question.wav") { recording in
            try Recordings.question(after: [1, 1, 1, 1, 1, 1], to: recording)
            try await Chromium.with(microphone: recording, arguments: ["--use-fake-ui-for-media-stream"]) { browser in
                try await browser.open(stub.page)
                try await browser.until("document.querySelector('#examples button')")
                try await Self.shoot(browser, "idle")
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'listening'")
                try await browser.until("document.body.style.getPropertyValue('--level') > 0.5")
                try await Self.shoot(browser, "listening")
                try await Self.tell(
                    stub, browser, "r1", "what is the capital of france", "the capital of france is paris", seconds: 1)
                try await browser.until("document.body.dataset.phase === 'listening'")
                try await Self.tell(
                    stub, browser, "r2", "what is three plus four", "three plus four is seven", seconds: 60)
                try await browser.until("document.body.dataset.phase === 'answering'")
                try await Self.shoot(browser, "answering")
                stub.send(#"{"type":"input_audio_buffer.speech_started","item_id":"q3"}"#)
                try await browser.until("document.querySelector('.reply[data-state=interrupted]')")
                try await Self.shoot(browser, "interrupted")
                stub.send(#"{"type":"input_audio_buffer.cleared"}"#)
                try await Self.makeArtifacts(stub, browser, picture.count, music.count)
                try await Self.shoot(browser, "artifacts")
                await stub.server.shutdown()
                try await browser.until("!document.querySelector('#problem').hidden")
                try await Self.shoot(browser, "gone")
            }
        }
        try await refused()
    }

    private func refused() async throws {
        let stub = try StubDaemon()
        try await Chromium.with { browser in
            try await browser.command(
                "Browser.setPermission",
                ["permission": ["name": "microphone"], "setting": "denied", "origin": stub.page])
            try await browser.open(stub.page)
            try await browser.until("document.querySelector('#examples button')")
            try await browser.click("#talk")
            try await browser.until("!document.querySelector('#problem').hidden")
            try await Self.shoot(browser, "refused")
        }
        await stub.server.shutdown()
    }

    private static func tell(
        _ stub: StubDaemon, _ browser: Chromium, _ id: String, _ question: String, _ answer: String, seconds: Int
    ) async throws {
        for event in [
            #"{"type":"input_audio_buffer.speech_started","item_id":"q\#(id)"}"#,
            #"{"type":"input_audio_buffer.speech_stopped","item_id":"q\#(id)"}"#,
            #"{"type":"input_audio_buffer.committed","item_id":"q\#(id)"}"#,
            #"{"type":"response.created","response":{"id":"\#(id)"}}"#,
            #"{"type":"response.output_item.added","response_id":"\#(id)","item":{"id":"a\#(id)"}}"#,
            #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"q\#(id)","transcript":"\#(question)"}"#,
            #"{"type":"response.output_audio_transcript.delta","response_id":"\#(id)","delta":"\#(answer)"}"#,
        ] { stub.send(event) }
        try stub.sendTone(seconds: seconds)
        try await browser.until("document.body.dataset.phase === 'answering'")
        stub.send(
            """
            {"type":"anygpt.response.timing","response_id":"\(id)","end_of_turn_ms":501,"first_text_ms":527,
            "first_audio_ms":676}
            """)
        stub.send(#"{"type":"response.done","response":{"id":"\#(id)","status":"completed"}}"#)
    }

    private static func makeArtifacts(
        _ stub: StubDaemon, _ browser: Chromium, _ picture: Int, _ music: Int
    ) async throws {
        try await browser.evaluate(
            """
            document.querySelector('#form').value = 'image';
            document.querySelector('#form').dispatchEvent(new Event('change'));
            document.querySelector('#text').value = 'a green hill under a blue sky, with a chord to it'
            """)
        try await shoot(browser, "asking")
        try await browser.click("#text")
        try await browser.type("")
        _ = await stub.events("response.create")
        let place = #""response_id":"r4","item_id":"i","output_index""#
        for event in [
            #"{"type":"response.created","response":{"id":"r4"}}"#,
            #"{"type":"response.output_text.delta","response_id":"r4","delta":"here is a hill, and a chord"}"#,
            #"{"type":"response.output_artifact.progress",\#(place):1,"step":14,"steps":21}"#,
            #"{"type":"response.output_artifact.progress",\#(place):2,"step":50,"steps":250}"#,
        ] { stub.send(event) }
        try await browser.until("document.querySelectorAll('progress').length === 2")
        try await shoot(browser, "making")
        for event in [
            """
            {"type":"response.output_artifact.done",\(place):1,"artifact":{"id":"p","type":"image",
            "mime_type":"image/png","bytes":\(picture),"url":"/v1/artifacts/p","width":384,"height":384}}
            """,
            """
            {"type":"response.output_artifact.done",\(place):2,"artifact":{"id":"m","type":"music",
            "mime_type":"audio/flac","bytes":\(music),"url":"/v1/artifacts/m","duration_ms":2000}}
            """,
        ] { stub.send(event) }
        try await browser.until(
            "document.querySelector('img')?.complete && document.querySelector('audio')?.duration > 1")
        try await browser.evaluate("document.querySelector('.scroller').scrollTop = 1e6")
    }

    private static func shoot(_ browser: Chromium, _ name: String) async throws {
        guard let folder = ProcessInfo.processInfo.environment["ANYGPT_SCREENSHOTS"] else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (size, width, height) in sizes {
            for scheme in schemes {
                try await browser.command(
                    "Emulation.setDeviceMetricsOverride",
                    ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"])
                try await browser.command(
                    "Emulation.setEmulatedMedia",
                    ["features": [["name": "prefers-color-scheme", "value": scheme]]])
                try await browser.evaluate("document.querySelector('.scroller').scrollTop = 1e6")
                try await browser.evaluate(
                    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
                let data = try await browser.command("Page.captureScreenshot", ["format": "png"])["data"] as? String
                try Data(base64Encoded: data ?? "")?.write(to: URL(filePath: "\(folder)/\(name)-\(size)-\(scheme).png"))
            }
        }
        try await browser.command("Emulation.clearDeviceMetricsOverride")
    }
}
