import Testing

@testable import WebSockets

@Suite(.serialized) struct HostileTests {
    /// The server still serves.
    private static func isServing(_ server: WebSocketServer) async throws -> Bool {
        let connection = try await WebSocketClient.connect(url: server.url)
        connection.send(text: "alive")
        defer { connection.close() }
        return await connection.receive() == .text(Array("alive".utf8))
    }

    @Test func garbageOnThePortDoesNoHarm() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        try await withServer {
            $0.limits.handshakeTimeout = .seconds(1)
        } _: { server in
            for _ in 0..<50 {
                let socket = RawSocket(port: server.port)
                socket.send(
                    (0..<Int.random(in: 1...4000, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    })
            }
            let isServing = try await Self.isServing(server)
            #expect(isServing, "seed \(seed)")
            #expect(await eventually { server.liveConnections == 0 })
        }
    }

    @Test func randomFramesAfterAHandshakeDoNoHarm() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        try await withServer {
            $0.limits.maxMessageBytes = 5000
        } _: { server in
            for _ in 0..<200 {
                let socket = RawSocket(port: server.port)
                socket.send(RawSocket.handshake())
                _ = await socket.receive()
                for _ in 0..<4 {
                    let payload = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                    if Bool.random(using: &generator) {
                        socket.send(payload)
                    } else {
                        socket.send(
                            RawSocket.frame(
                                UInt8.random(in: 0...15, using: &generator),
                                final: Bool.random(using: &generator), payload))
                    }
                }
            }
            #expect(await eventually { server.liveConnections == 0 }, "seed \(seed)")
            let isServing = try await Self.isServing(server)
            #expect(isServing, "seed \(seed)")
        }
    }

    @Test func aFrameThatClaimsAHugeLengthAllocatesNothing() async throws {
        try await withServer { server in
            let socket = RawSocket(port: server.port)
            socket.send(RawSocket.handshake())
            _ = await socket.receive()
            socket.send([0x82, 0x80 | 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 5])
            let isServing = try await Self.isServing(server)
            #expect(isServing)
        }
    }

    @Test func handshakesThatNeverEndAreCutOff() async throws {
        try await withServer {
            $0.limits.handshakeTimeout = .milliseconds(300)
        } _: { server in
            let mute = RawSocket(port: server.port)
            let half = RawSocket(port: server.port)
            half.send("GET /echo HTTP/1.1\r\nHost: a\r\nUpgr")
            let clock = ContinuousClock()
            let start = clock.now
            // A byte now and then does not buy more time.
            let drip = RawSocket(port: server.port)
            for character in "GET /ec" {
                drip.send(String(character))
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(await mute.receive() == nil)
            #expect(await half.receive() == nil)
            #expect(await drip.receive() == nil)
            // Less than the time after which `receive` gives up by itself.
            #expect(clock.now - start < .seconds(15))
        }
    }

    @Test func aCrowdOfIdleSocketsDoesNotKeepOthersOutForever() async throws {
        try await withServer {
            $0.maxConnections = 4
            $0.limits.handshakeTimeout = .milliseconds(500)
        } _: { server in
            var crowd: [Box] = []
            for _ in 0..<100 { crowd.append(Box(port: server.port)) }
            let isServing = try await Self.isServing(server)
            #expect(isServing)
            crowd = []
        }
    }

    /// An array can't hold noncopyable sockets.
    private final class Box {
        let socket: RawSocket
        init(port: UInt16) { socket = RawSocket(port: port) }
    }

    @Test func anHTTPHandlerThatNeverAnswersIsCutOff() async throws {
        try await withServer({ $0.limits.handshakeTimeout = .milliseconds(300) }) { _ in
            try? await Task.sleep(for: .seconds(30))
            return .text(200, "late")
        } _: { server in
            let socket = RawSocket(port: server.port)
            socket.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await socket.receive() == nil)
        }
    }
}

/// A seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
