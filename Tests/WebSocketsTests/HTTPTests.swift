import Testing

@testable import WebSockets

@Suite(.serialized) struct HTTPTests {
    @Sendable private static func routes(_ request: HTTPRequest) async -> HTTPResponse {
        switch request.path {
        case "/healthz":
            return HTTPResponse(
                status: 200, headers: [HTTPResponse.Field("content-type", "application/json")], body: Array("{}".utf8))
        case "/large":
            return HTTPResponse(status: 200, body: (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) })
        case "/show":
            return .text(
                200, "\(request.method) \(request.query) \(request.headers["x"] ?? request.headers["accept"] ?? "")")
        case "/injection":
            return HTTPResponse(status: 200, headers: [HTTPResponse.Field("x-name", "a\r\nset-cookie: b")])
        default: return .text(404, "There is nothing here.")
        }
    }

    /// The answer to one request, after which the connection is closed.
    private static func ask(_ request: String, of server: WebSocketServer) async -> String {
        let socket = RawSocket(port: server.port)
        socket.send(request)
        return await socket.receiveAll()
    }

    @Test func routesAreServed() async throws {
        try await withServer(http: Self.routes) { server in
            let health = await Self.ask("GET /healthz HTTP/1.0\r\nHost: a\r\n\r\n", of: server)
            #expect(health == "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            #expect(await Self.ask("GET /nothing HTTP/1.0\r\n\r\n", of: server).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
            #expect(
                await Self.ask("GET /show?a=1&b=2 HTTP/1.0\r\nAccept: text/html\r\n\r\n", of: server)
                    .hasSuffix("GET a=1&b=2 text/html\n"))
            let head = await Self.ask("HEAD /healthz HTTP/1.0\r\n\r\n", of: server)
            #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("content-length: 2") && head.hasSuffix("\r\n\r\n"))
            let post = await Self.ask("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", of: server)
            #expect(post.hasPrefix("HTTP/1.1 405") && post.contains("allow: GET, HEAD"))
            #expect(await !Self.ask("GET /injection HTTP/1.0\r\n\r\n", of: server).contains("\r\nset-cookie"))
        }
    }

    @Test func aLargeBodyArrivesWhole() async throws {
        try await withServer(http: Self.routes) { server in
            let socket = RawSocket(port: server.port)
            socket.send("GET /large HTTP/1.0\r\n\r\n")
            var all: [UInt8] = []
            while let bytes = await socket.receive() { all += bytes }
            #expect(all.suffix(3_000_000).elementsEqual((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }))
        }
    }

    @Test func aConnectionServesOneRequestAfterAnother() async throws {
        try await withServer(http: Self.routes) { server in
            let socket = RawSocket(port: server.port)
            for _ in 0..<3 {
                socket.send("GET /healthz HTTP/1.1\r\nHost: a\r\nSec-CH-UA: unknown to libwebsockets\r\n\r\n")
                #expect(await String(decoding: socket.receive() ?? [], as: UTF8.self).hasSuffix("{}"))
            }
        }
    }

    @Test func aWebSocketPathWithoutUpgradeSaysSo() async throws {
        try await withServer(http: Self.routes) { server in
            let answer = await Self.ask("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", of: server)
            #expect(answer.hasPrefix("HTTP/1.1 426 Upgrade Required") && answer.contains("upgrade: websocket"))
        }
    }

    @Test func wrongHandshakesAreRefusedWithAReason() async throws {
        try await withServer(http: Self.routes) { server in
            let cases = [
                (RawSocket.handshake(path: "/nowhere"), "404"),
                (RawSocket.handshake(version: "8"), "426"),
                (RawSocket.handshake(key: "short"), "400"),
                (RawSocket.handshake(extra: "Sec-WebSocket-Protocol: chat, superchat\r\n"), "400"),
                (RawSocket.handshake(extra: "Sec-WebSocket-Protocol: no subprotocol\r\n"), "400"),
                (RawSocket.handshake(extra: "Sec-WebSocket-Protocol: a/b\r\n"), "400"),
                (
                    RawSocket.handshake(
                        extra: "Sec-WebSocket-Protocol: realtime, \(String(repeating: "k", count: 200))\r\n"), "400"
                ),
                ("GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n", "400"),
            ]
            for (request, status) in cases {
                let answer = await Self.ask(request, of: server)
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(request) gave \(answer)")
                #expect(answer.contains("connection: close"))
            }
            #expect(server.liveConnections == 0)
        }
    }

    @Test func theFirstKnownSubprotocolIsChosen() async throws {
        try await withServer { server in
            let socket = RawSocket(port: server.port)
            socket.send(RawSocket.handshake(extra: "Sec-WebSocket-Protocol: x.y, realtime ,anygpt.opus.v1\r\n"))
            let answer = await String(decoding: socket.receive() ?? [], as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 101") && answer.contains("Sec-WebSocket-Protocol: realtime\r\n"))
        }
    }

    @Test func connectionsBeyondTheLimitAreTurnedAway() async throws {
        try await withServer {
            $0.maxConnections = 2
        } _: { server in
            let first = try await WebSocketClient.connect(url: server.url)
            let second = try await WebSocketClient.connect(url: server.url)
            #expect(await Self.ask(RawSocket.handshake(), of: server).hasPrefix("HTTP/1.1 503"))
            first.close()
            #expect(await eventually { server.liveConnections == 1 })
            let third = try await WebSocketClient.connect(url: server.url)
            third.close()
            second.close()
        }
    }
}
