import Testing

@testable import WebSockets

@Suite(.serialized) struct OriginTests {
    @Test(arguments: [
        (nil, "127.0.0.1:8787", true), ("http://127.0.0.1:8787", "127.0.0.1:8787", true),
        ("http://localhost:8787", "127.0.0.1:8787", false), ("http://127.0.0.1:8788", "127.0.0.1:8787", false),
        ("https://Voice.example.org", "voice.example.org", true), ("https://a.example", "a.example:443", true),
        ("https://a.example", "a.example:80", false), ("http://192.0.2.1", "192.0.2.1:80", true),
        ("https://other.example", "127.0.0.1:8787", true), ("https://other.example.evil", "127.0.0.1:8787", false),
        ("http://other.example", "127.0.0.1:8787", false), ("null", "127.0.0.1:8787", false), ("", "", false),
        ("file://", "", false), ("http://", "", false), ("http://a.example/", "a.example", false),
        ("http://[::1]:8787", "[::1]:8787", true), ("http://[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]", true),
        // Names that a stranger may own and point here; over TLS the certificate would not be theirs.
        ("http://evil.example:8787", "evil.example:8787", false), ("http://a.example", "a.example:80", false),
        ("http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false), ("http://a.b.", "a.b.", false),
        ("http://evil.local.example", "evil.local.example", false), ("http://xlocal.io", "xlocal.io", false),
        ("http://listed.example:8787", "listed.example:8787", true),
        // Names that none can own.
        ("http://server:8787", "server:8787", true), ("http://Server.local:8787", "server.local:8787", true),
        ("http://a.localhost", "a.localhost:80", true), ("http://b.home.arpa", "b.home.arpa", true),
        ("http://c.internal.", "c.internal.", true), ("http://voice.lan:8787", "voice.lan:8787", true),
        ("http://voice.test", "voice.test", true),
    ])
    func whoMayComeIn(_ origin: String?, _ host: String, _ isAdmitted: Bool) {
        let rule = OriginRule(allowed: ["https://other.example", "http://listed.example:8787"])
        #expect((rule.refusal(origin: origin, host: host) == nil) == isAdmitted, "\(origin ?? "-") at \(host)")
    }

    @Test func anEntryThatIsNoOriginStopsTheStart() {
        for entry in ["example.org", "https://example.org/", "*", "ws://example.org", ""] {
            var configuration = WebSocketServerConfiguration()
            configuration.allowedOrigins = [entry]
            #expect(throws: WebSocketError.self, "\(entry)") {
                try WebSocketServer(configuration: configuration, handler: echo)
            }
        }
    }

    @Test func aPageOfAnotherSiteIsRefusedWithALine() async throws {
        let remarks = Recorder<WebSocketRemark>()
        try await withServer {
            $0.allowedOrigins = ["https://other.example"]
            $0.remarks = { remarks.add($0) }
        } _: { server in
            for (origin, status) in [
                ("https://evil.example", "403"), ("null", "403"), ("http://127.0.0.1", "101"),
                ("https://other.example", "101"),
            ] {
                let socket = RawSocket(port: server.port)
                socket.send(RawSocket.handshake(extra: "Origin: \(origin)\r\n"))
                let answer = String(decoding: await socket.receive() ?? [], as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(origin): \(answer)")
            }
        }
        // The second comes too soon after the first to be told.
        #expect(remarks.all.count == 1)
        #expect(
            remarks.all.first?.kind == .foreignOrigin(origin: "https://evil.example", host: "127.0.0.1")
                && remarks.all.first?.address == "127.0.0.1")
        #expect(remarks.all.first?.description.contains("server.allowed_origins") == true)
    }

    @Test func aNameThatAnybodyMayOwnIsNamedAsTheReason() throws {
        let refusal = OriginRule(allowed: []).refusal(origin: "http://A.b:8", host: "a.b:8")
        #expect(refusal == .anybodysName(origin: "http://a.b:8"))
        let remark = WebSocketRemark(kind: try #require(refusal), address: "127.0.0.1")
        #expect(remark.description.hasPrefix("refused a page of http://a.b:8, a name that anybody may own: list it in"))
    }

    @Test func aFloodOfOneKindIsToldOnceInAWhile() {
        var limiter = RemarkLimiter()
        let start = ContinuousClock.now
        func admit(_ kind: WebSocketRemark.Kind, _ seconds: Double) -> WebSocketRemark? {
            limiter.admit(WebSocketRemark(kind: kind, address: "a"), at: start + .seconds(seconds))
        }
        #expect(admit(.notHTTP, 0)?.unreported == 0)
        for number in 1...100 { #expect(admit(.notHTTP, Double(number) / 20) == nil) }
        #expect(admit(.plainHTTP, 5) != nil)
        let later = admit(.notHTTP, 10.5)
        #expect(later?.unreported == 100 && later?.description.contains("100 times more") == true)
        #expect(admit(.notHTTP, 30)?.unreported == 0)
    }
}
