import Foundation
import Server
import TestDaemon
import TestSupport
import Testing

/// The whole way: a recording, played by a fake microphone into the page in a real browser, to the daemon with the
/// repository's model, and back into the page's speakers.
@Suite("A conversation in the browser", .serialized) struct ConversationTests {
    @Test("what was said and answered appears, the answer is heard, and speaking again interrupts it")
    func conversation() async throws {
        try await Recordings.with("questions.wav") { recording in
            // The second question comes while the first reply, which is made long, is to be heard.
            try Recordings.question(after: [1, 5], to: recording)
            try await withDaemon {
                $0.sampling.text.maxNewTokens = 12
                $0.sampling.speech.minNewTokens = 590
                $0.sampling.speech.maxNewTokens = 600
            } _: { daemon in
                try await Chromium.with(
                    microphone: recording, arguments: ["--use-fake-ui-for-media-stream"]
                ) { browser in
                    try await browser.open("http://127.0.0.1:\(daemon.port)/")
                    try await browser.until("document.querySelectorAll('#examples button').length > 2")
                    try await browser.click("#talk")
                    try await browser.until("document.querySelector('.you[data-state=done] .text')")
                    let asked = try String(
                        contentsOf: Golden.tests.deletingLastPathComponent()
                            .appending(path: "Models/pocket/demo/question.txt"), encoding: .utf8)
                    #expect(
                        try await browser.text(".you .text") == asked.trimmingCharacters(in: .whitespacesAndNewlines))
                    try await browser.until(
                        "document.querySelector('.reply .text:not(.waiting)')?.textContent.length > 3")
                    try await browser.until("anygpt.conversation.playbackReport.totalSamples > 24000")
                    let report = "anygpt.conversation.playbackReport"
                    let loudness = try await browser.number("Math.sqrt(\(report).totalEnergy / \(report).totalSamples)")
                    #expect(loudness > 0.005, "the reply is not silence: \(loudness)")
                    // The second question.
                    try await browser.until("document.querySelector('.reply[data-state=interrupted] .note')")
                    #expect(try await browser.text(".reply .note")?.hasPrefix("interrupted after ") == true)
                    try await browser.until("document.querySelectorAll('.you[data-state=done]').length === 2")
                    try await browser.until("document.querySelectorAll('.reply').length === 2")
                    try await browser.until("document.querySelector('.timing .sound')")
                    #expect(
                        try await browser.text(".timing")?.contains("from your last word to the first sound") == true)
                    #expect(browser.complaints == [])
                }
            }
        }
    }

    @Test("a written question is answered in writing") func written() async throws {
        try await withDaemon { daemon in
            try await Chromium.with { browser in
                try await browser.open("http://127.0.0.1:\(daemon.port)/")
                try await browser.until("document.querySelector('#examples button')")
                try await browser.click("#examples button")
                try await browser.until(
                    "document.querySelector('.reply[data-state=done] .text')?.textContent.length > 3")
                #expect(try await browser.text(".timing")?.contains("from your question to the first words") == true)
                #expect(browser.complaints == [])
            }
        }
    }

    private func withDaemon(
        _ change: (inout Configuration) -> Void = { _ in }, _ body: (Daemon) async throws -> Void
    ) async throws {
        var configuration = try shippedConfiguration()
        configuration.seed = 7
        change(&configuration)
        try await TestDaemon.withDaemon(configuration, body)
    }
}
