import Foundation
import TestSupport
import Testing
import Wire

@testable import Client

@Suite("What a turn looks like as text")
struct TalkTextTests {
    private var turn: TurnReport {
        var turn = TurnReport()
        turn.times.lastSampleSent = .milliseconds(3000)
        turn.times.endOfTurn = .milliseconds(3612)
        turn.times.firstText = .milliseconds(3790)
        turn.times.firstAudio = .milliseconds(4450.4)
        turn.times.done = .milliseconds(12_345)
        turn.packets = 312
        turn.samples = 24_000 * 6 + 5760
        turn.server = ResponseTiming(responseID: "a")
        turn.server?.packetsBeforeLastToken = 140
        return turn
    }

    @Test("The table has a line for each stage, also for one that was not reached, within 80 columns")
    func table() {
        let lines = TimingTable.text(turn).split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "  last sample sent                  0 ms",
                "  end of turn seen                612 ms     +612 ms",
                "  first text                      790 ms     +178 ms",
                "  first text of the reply              -",
                "  first audio packet             1450 ms     +660 ms",
                "  done                           9345 ms    +7895 ms",
                "  reply                           6.24 s",
                "  audio packets                      312",
                "  before the last token              140   packets sent before it was generated",
            ])
        #expect(lines.allSatisfy { $0.count <= 80 })
    }

    @Test("What was made with a reply has a line for the time from its last token until it was complete")
    func artifact() {
        var turn = TurnReport()
        var timing = ResponseTiming(responseID: "r")
        (timing.lastTokenMilliseconds, timing.artifactMilliseconds) = (4000.4, 4120.2)
        turn.server = timing
        #expect(!TimingTable.text(turn).contains("music"), "nothing was made")
        turn.artifacts = [
            Artifact(id: "a", type: .music, mimeType: "audio/flac", bytes: 1, sha256: "0", url: "/v1/artifacts/a")
        ]
        let line = TimingTable.text(turn).split(separator: "\n").last { $0.contains("music") }
        #expect(line == "  music                           120 ms   after the last token, complete")
        // A picture whose tokens came before the speech was complete while that was still made.
        turn.server?.artifactMilliseconds = 3000
        #expect(!TimingTable.text(turn).contains("music"))
    }

    @Test("A turn in which nothing happened is a table without times")
    func empty() {
        #expect(TimingTable.text(TurnReport()).contains("end of turn seen                     -"))
    }

    @Test("The JSON object has every key, null where there is nothing to say")
    func json() throws {
        let record = TalkRecord(
            url: "ws://x", session: "s", out: nil,
            turns: [.init(turn, source: "a.wav"), .init(TurnReport(), source: "b")])
        let json = try record.json()
        #expect(json.contains("\"first_audio_ms\" : 1450.4"))
        #expect(json.contains("\"first_reply_text_ms\" : null"))
        #expect(json.contains("\"packets_before_last_token\" : 140"))
        #expect(json.contains("\"reply_seconds\" : 6.24"))
        #expect(json.contains("\"status\" : null"))
        #expect(json.contains("\"out\" : null"))
    }

    @Test("Pieces are shown as they come; without a width on one line")
    func pieces() {
        var text = LiveText(label: "you  ", width: nil)
        #expect(text.end() == "")
        #expect(text.add(" wh") == "you  wh")
        #expect(text.add("at  is\n") == "at is")
        #expect(text.add("it") == " it")
        #expect(text.end() == "\n")
        #expect(text.add("x") == "you  x")
    }

    @Test("On a terminal words are wrapped, also when they outgrow the line while they come")
    func wrapping() {
        // 17 columns, of which the last stays free.
        var text = LiveText(label: "you  ", width: 17)
        #expect(text.add("one two three") == "you  one two\n     three")
        #expect(text.add(" four") == " four")
        #expect(text.add(" five") == "\n     five")
        #expect(text.add(" six") == " six")
        #expect(text.add("teeneth") == "\u{1B}[3D\u{1B}[K\n     sixteeneth")
        #expect(text.add("andsomuchmore") == "andsomuchmore")
    }

    @Test("What comes from the network cannot command the terminal")
    func controls() {
        var text = LiveText(label: "you  ", width: nil)
        #expect(text.add("a\u{1B}[2Jb\u{07}\u{9B}c\u{7F}") == "you  a[2Jbc")
    }
}

@Suite("The health of a daemon")
struct HealthProbeTests {
    private let url = "http://127.0.0.1:1"

    @Test("An answer is read; what is none is told apart")
    func answers() async throws {
        let health = Health(status: .ok, model: "m", version: "1", uptimeSeconds: 2.5, sessions: 1)
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
        let right = try await answer(head + String(decoding: health.encoded(), as: UTF8.self))
        #expect(right == .success(health))
        for wrong in [
            "", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", head + "hello",
            head + String(repeating: "x", count: 100_000),
        ] {
            guard case .failure(.notADaemon) = try await answer(wrong) else {
                Issue.record("\(wrong.prefix(60)) was taken for a daemon, or for nobody")
                continue
            }
        }
    }

    /// What is made of a server that says this to whoever connects.
    private func answer(_ text: String) async throws -> Result<Health, HealthProbe.Failure> {
        let listener = try LoopbackListener()
        defer { listener.stop() }
        listener.accept { peer in
            var request = [UInt8](repeating: 0, count: 4096)
            _ = recv(peer, &request, request.count, 0)
            _ = Array(text.utf8).withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        do {
            return .success(try await HealthProbe.ask("http://127.0.0.1:\(listener.port)"))
        } catch {
            return .failure(error)
        }
    }

    @Test("Where nobody listens, and where a URL is none")
    func failures() async throws {
        let nobody = await #expect(throws: HealthProbe.Failure.self) { _ = try await HealthProbe.ask(url) }
        #expect(nobody == .unreachable(url: url, reason: "connection refused"))
        await #expect(throws: HealthProbe.Failure.badURL("ws://x")) { _ = try await HealthProbe.ask("ws://x") }
    }

    @Test("A real server is asked over a socket")
    func socket() async throws {
        try await StubDaemon.serve({ _ in }) { stub in
            let url = stub.replacingOccurrences(of: "ws://", with: "http://").replacingOccurrences(
                of: "/v1/realtime", with: "")
            let answer = await #expect(throws: HealthProbe.Failure.self) { _ = try await HealthProbe.ask(url) }
            #expect(answer?.description.contains("404") == true, "\(String(describing: answer))")
        }
    }
}
