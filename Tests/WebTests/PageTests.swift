import Foundation
import TestSupport
import Testing
import WebSockets

/// The page in a real browser, against a server whose events the tests make.
@Suite("The page", .serialized) struct PageTests {
    private static let talks = ["--use-fake-ui-for-media-stream"]

    @Test("its modules keep what they promise") func modules() async throws {
        try await withStub { stub in
            try await Chromium.with { browser in
                try await browser.open(stub.page)
                let result = try await browser.evaluate("import('/tests/run.js').then((tests) => tests.run())")
                let report = try #require(result as? [String: Any])
                #expect(report["failures"] as? [String] == [])
                #expect((report["count"] as? Int ?? 0) > 15)
            }
        }
    }

    @Test("speech while a reply is heard stops it at once, and the daemon learns how much was heard")
    func interruption() async throws {
        try await withStub { stub in
            try await Chromium.with(arguments: Self.talks) { browser in
                try await browser.open(stub.page)
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'listening'")
                #expect(await eventually { stub.packets > 50 }, "the microphone's packets come in")
                stub.send(Self.created)
                stub.send(
                    #"{"type":"response.output_item.added","response_id":"r","output_index":0,"item":{"id":"a"}}"#)
                stub.send(#"{"type":"response.output_audio_transcript.delta","response_id":"r","delta":"a tone"}"#)
                try stub.sendTone(seconds: 8)
                stub.send(#"{"type":"response.done","response":{"id":"r","status":"completed"}}"#)
                try await browser.until("document.body.dataset.phase === 'answering'")
                try await browser.until("anygpt.conversation.playbackReport.played > 48000")
                stub.send(#"{"type":"input_audio_buffer.speech_started","item_id":"q","audio_start_ms":0}"#)
                let truncation = try #require(await stub.events("conversation.item.truncate").first)
                let heard = try #require(truncation["audio_end_ms"] as? Int)
                #expect(truncation["item_id"] as? String == "a" && (700..<7500).contains(heard), "\(heard) ms")
                try await browser.until("document.querySelector('.reply').dataset.state === 'interrupted'")
                #expect(try await browser.text(".reply .note")?.hasPrefix("interrupted after ") == true)
                // Nothing more is heard, and what was is the tone: its loudness is 0.3 / √2.
                let report = "anygpt.conversation.playbackReport"
                let before = try await browser.number("\(report).totalSamples")
                try await Task.sleep(for: .milliseconds(200))
                #expect(try await browser.number("\(report).totalSamples") == before)
                let loudness = try await browser.number("Math.sqrt(\(report).totalEnergy / \(report).totalSamples)")
                #expect((0.19..<0.23).contains(loudness), "\(loudness)")
                #expect(browser.complaints == [])
            }
        }
    }

    @Test("the space bar, held, makes a turn; muting and hanging up do what they say") func buttons() async throws {
        try await withStub { stub in
            try await Chromium.with(arguments: Self.talks) { browser in
                try await browser.open(stub.page)
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'listening'")
                try await browser.key("rawKeyDown", " ", code: "Space", number: 32)
                try await browser.until("document.body.dataset.phase === 'hearing'")
                let settings = await stub.events("session.update")
                #expect(String(describing: settings).contains("turn_detection"))
                let before = stub.packets
                #expect(await eventually { stub.packets > before + 25 })
                try await browser.key("keyUp", " ", code: "Space", number: 32)
                #expect(await stub.events("input_audio_buffer.commit").count == 1)
                #expect(await stub.events("response.create").count == 1)
                try await browser.click("#hold")
                try await browser.until("document.body.dataset.phase === 'listening'")
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'muted'")
                // The silence that lets an open turn end, and then nothing.
                try await Task.sleep(for: .seconds(2.5))
                let muted = stub.packets
                try await Task.sleep(for: .milliseconds(400))
                #expect(stub.packets == muted)
                try await browser.click("#hang-up")
                try await browser.until("document.body.dataset.phase === 'idle'")
                #expect(await eventually { stub.server.liveConnections == 0 })
                #expect(browser.complaints == [])
            }
        }
    }

    @Test("a microphone that is opened after a question was written is shown at once") func writtenFirst() async throws
    {
        try await withStub { stub in
            try await Chromium.with(arguments: Self.talks) { browser in
                try await browser.open(stub.page)
                try await browser.click("#text")
                try await browser.type("hello")
                #expect(await stub.events("response.create").count == 1)
                stub.send(Self.created)
                stub.send(#"{"type":"response.done","response":{"id":"r","status":"completed"}}"#)
                try await browser.until("document.body.dataset.phase === 'typing'")
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'listening'")
                #expect(try await browser.text("#talk-label") == "Microphone on")
                #expect(browser.complaints == [])
            }
        }
    }

    @Test("what is asked for can be a picture or music, where the daemon makes them") func form() async throws {
        try await withStub(makes: ["image", "music", "smells"]) { stub in
            try await Chromium.with(arguments: Self.talks) { browser in
                try await browser.open(stub.page)
                try await browser.until("!document.querySelector('#form').hidden")
                let options = "[...document.querySelectorAll('#form option')].map((option) => option.textContent)"
                #expect(try await browser.evaluate(options) as? [String] == ["Words", "Picture", "Music"])
                // With the keyboard, as the microphone is open: the space bar there chooses, and does not talk.
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'listening'")
                try await browser.evaluate("document.querySelector('#form').focus()")
                try await browser.key("keyDown", " ", code: "Space", number: 32)
                try await browser.key("keyUp", " ", code: "Space", number: 32)
                try await browser.key("keyDown", "Escape", code: "Escape", number: 27)
                #expect(try await browser.text("#hold") == "Hold to talk")
                #expect(try await browser.evaluate("anygpt.conversation.isManual") as? Bool == false)
                for (form, expected) in [("image", "image"), ("music", "music"), ("words", nil)] {
                    try await browser.evaluate(
                        """
                        document.querySelector('#form').value = '\(form)';
                        document.querySelector('#form').dispatchEvent(new Event('change'))
                        """)
                    let placeholder = try await browser.evaluate("document.activeElement.placeholder") as? String
                    #expect(placeholder?.contains(expected == "image" ? "picture" : expected ?? "question") == true)
                    let before = stub.received.count { $0["type"] as? String == "response.create" }
                    try await browser.type("something")
                    let response = await stub.events("response.create", count: before + 1).last?["response"]
                    let artifact = (response as? [String: Any])?["artifact"] as? [String: Any]
                    #expect(artifact?["type"] as? String == expected)
                }
                #expect(browser.complaints == [])
            }
        }
        try await withStub { stub in
            try await Chromium.with { browser in
                try await browser.open(stub.page)
                try await browser.until("document.querySelector('#examples button')")
                #expect(try await browser.evaluate("document.querySelector('#form').hidden") as? Bool == true)
            }
        }
    }

    @Test("pictures and music show how far they are, and then themselves") func artifacts() async throws {
        let (picture, music) = (Recordings.picture(size: 96), try await Recordings.music())
        try await withStub(files: [
            "/v1/artifacts/p": ("image/png", picture), "/v1/artifacts/m": ("audio/flac", music),
        ]) { stub in
            try await Chromium.with { browser in
                try await browser.open(stub.page)
                try await browser.click("#text")
                try await browser.type("draw a hill and play a chord")
                #expect(await stub.events("conversation.item.create").count == 1)
                stub.send(Self.created)
                stub.send(Self.progress(1, 3, of: 25, #","artifact":{"type":"image"}"#))
                stub.send(Self.progress(2, 1, of: 4))
                try await browser.until("document.querySelectorAll('progress').length === 2")
                let captions = "[...document.querySelectorAll('figcaption')].map((caption) => caption.textContent)"
                #expect(
                    try await browser.evaluate(captions) as? [String]
                        == ["drawing a picture: step 3 of 25", "being made: step 1 of 4"])
                stub.send(Self.artifact(1, "p", "image", "image/png", picture.count, #""width":96,"height":96"#))
                stub.send(Self.artifact(2, "m", "music", "audio/flac", music.count, #""duration_ms":2000"#))
                try await browser.until("document.querySelector('img')?.naturalWidth === 96")
                try await browser.until("Math.abs(document.querySelector('audio')?.duration - 2) < 0.1")
                stub.send(
                    Self.artifact(3, "x", "image", "image/png", 10, #""width":1,"height":1"#, "https://evil.example/"))
                try await browser.until("document.querySelectorAll('figure').length === 3")
                #expect(try await browser.number("document.querySelectorAll('img').length") == 1)
                stub.send(
                    #"{"type":"anygpt.response.timing","response_id":"r","end_of_turn_ms":1,"artifact_ms":1201}"#)
                try await browser.until("document.querySelector('.timing .made')")
                #expect(
                    try await browser.text(".timing p")?.hasPrefix("1.2 s from your question to the picture") == true)
                #expect(browser.complaints == [])
            }
        }
    }

    @Test("a microphone that is refused, or that there is none of, is a line that says what to do")
    func refused() async throws {
        try await withStub { stub in
            try await Chromium.with { browser in
                try await browser.command(
                    "Browser.setPermission",
                    ["permission": ["name": "microphone"], "setting": "denied", "origin": stub.page])
                try await browser.open(stub.page)
                try await browser.click("#talk")
                try await browser.until("!document.querySelector('#problem').hidden")
                #expect(try await browser.text("#problem")?.hasPrefix("The microphone was refused.") == true)
                #expect(try await browser.text("#talk-label") == "Start talking")
                // A page of nowhere may not connect.
                let outcome = try await browser.evaluate(
                    """
                    fetch('data:,').catch(() => {}), new Promise((resolve) => {
                    const frame = document.createElement('iframe'); frame.sandbox = 'allow-scripts';
                    frame.srcdoc = `<script>const s = new WebSocket('ws://127.0.0.1:\(stub.server.port)/v1/realtime');
                    s.onopen = () => parent.postMessage('open', '*'); s.onclose = () => parent.postMessage('refused', '*');
                    <` + `/script>`; onmessage = ({ data }) => resolve(data); document.body.append(frame); })
                    """)
                #expect(outcome as? String == "refused")
                #expect(stub.remarks.all.contains { "\($0)".hasPrefix("refused a page of null") })
            }
        }
    }

    @Test("where the page is neither on localhost nor on HTTPS it says so, and writing still works")
    func insecure() async throws {
        try await withStub { stub in
            try await Chromium.with { browser in
                try await browser.open("http://voice.test:\(stub.server.port)/")
                try await browser.until("!document.querySelector('#problem').hidden")
                let line = try await browser.text("#problem") ?? ""
                #expect(line.contains("only on localhost or over HTTPS") && line.contains(":\(stub.server.port)/"))
                try await browser.click("#text")
                try await browser.type("hello")
                #expect(String(describing: await stub.events("session.update")).contains("output_modalities"))
                #expect(await stub.events("response.create").count == 1)
                stub.send(Self.created)
                stub.send(#"{"type":"response.output_text.delta","response_id":"r","delta":"hi there"}"#)
                try await browser.until("document.querySelector('.reply .text')?.textContent === 'hi there'")
            }
        }
    }

    @Test("when the daemon is gone the page says so, tries again, and comes back") func comesBack() async throws {
        let first = try StubDaemon()
        let port = first.server.port
        try await Chromium.with(arguments: Self.talks) { browser in
            try await browser.open(first.page)
            try await browser.click("#talk")
            try await browser.until("document.body.dataset.phase === 'listening'")
            await first.server.shutdown()
            try await browser.until("document.querySelector('#problem').textContent.includes('Trying again in')")
            try await browser.until("document.querySelector('#problem').textContent.startsWith('The daemon does not')")
            let second = try StubDaemon(port: port)
            try await browser.until("document.body.dataset.phase === 'listening'")
            try await browser.until("document.querySelector('#problem').hidden")
            #expect(await eventually { second.packets > 10 })
            await second.server.shutdown()
        }
    }

    @Test("when another program has taken the daemon's port the page says so") func foreign() async throws {
        let stub = try StubDaemon()
        var configuration = WebSocketServerConfiguration()
        configuration.port = stub.server.port
        try await Chromium.with { browser in
            try await browser.open(stub.page)
            try await browser.click("#text")
            try await browser.type("hello")
            try await browser.until("document.body.dataset.phase !== 'connecting'")
            await stub.server.shutdown()
            let other = try WebSocketServer(
                configuration: configuration, http: { _ in HTTPResponse(status: 200, body: Array("It works!".utf8)) },
                handler: { _ in })
            try await browser.until("document.querySelector('#problem').textContent.startsWith('Something else than')")
            await other.shutdown()
        }
    }

    @Test("over TLS everything travels as well") func tls() async throws {
        try await Certificates.withFolder { folder in
            try Certificates.makeSelfSigned(in: folder)
            let stub = try StubDaemon(
                tls: TLSFiles(certificate: folder + "/certificate.pem", privateKey: folder + "/key.pem"))
            let page = "https://127.0.0.1:\(stub.server.port)/"
            try await Chromium.with(arguments: Self.talks + ["--ignore-certificate-errors"]) { browser in
                try await browser.open(page)
                try await browser.click("#talk")
                try await browser.until("document.body.dataset.phase === 'listening'")
                #expect(await eventually { stub.packets > 25 })
                stub.send(Self.created)
                try stub.sendTone(seconds: 2)
                try await browser.until("anygpt.conversation.playbackReport.totalSamples > 24000")
            }
            await stub.server.shutdown()
        }
    }

    // MARK: - Events

    private static let created = #"{"type":"response.created","response":{"id":"r","status":"in_progress"}}"#

    private static func progress(_ index: Int, _ step: Int, of steps: Int, _ more: String = "") -> String {
        """
        {"type":"response.output_artifact.progress","response_id":"r","item_id":"i\(index)","output_index":\(index),
        "step":\(step),"steps":\(steps)\(more)}
        """
    }

    private static func artifact(
        _ index: Int, _ id: String, _ type: String, _ mime: String, _ bytes: Int, _ more: String, _ base: String = "/"
    ) -> String {
        """
        {"type":"response.output_artifact.done","response_id":"r","item_id":"i\(index)","output_index":\(index),
        "artifact":{"id":"\(id)","type":"\(type)","mime_type":"\(mime)","bytes":\(bytes),"sha256":"00",
        "url":"\(base)v1/artifacts/\(id)",\(more)}}
        """
    }

    private func withStub(
        files: [String: (contentType: String, bytes: [UInt8])] = [:], makes: [String] = [],
        _ body: (StubDaemon) async throws -> Void
    ) async throws {
        let stub = try StubDaemon(files: files, makes: makes)
        do {
            try await body(stub)
        } catch {
            await stub.server.shutdown()
            throw error
        }
        await stub.server.shutdown()
    }
}

/// Waits until `condition` holds, at most half a minute.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<1500 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return condition()
}
