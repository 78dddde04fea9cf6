import Glibc
import Testing

@testable import WebSockets

@Suite(.serialized) struct LifecycleTests {
    @Test func twoHundredConnectionsLeaveNothingBehind() async throws {
        // Weak references: the connections themselves must be gone, not only their entries.
        final class Weak: Sendable {
            nonisolated(unsafe) private(set) weak var connection: WebSocketConnection?
            // Invariant: written once, in `init`, before the object is shared.
            init(_ connection: WebSocketConnection) { self.connection = connection }
        }
        let seen = Recorder<Weak>()
        try await withServer { _ in
        } handler: {
            seen.add(Weak($0))
            await echo($0)
        } _: { server in
            let before = Self.stackLikeMappings()
            for number in 0..<200 {
                let connection = try await WebSocketClient.connect(url: server.url)
                connection.send(text: "\(number)")
                #expect(await connection.receive() == .text(Array("\(number)".utf8)))
                connection.close()
                while let message = await connection.receive() {
                    if case .closed = message { break }
                }
            }
            #expect(await eventually { server.liveConnections == 0 })
            #expect(await eventually { seen.all.allSatisfy { $0.connection == nil } })
            // The threads' stacks are gone, too; other suites' clients may have theirs.
            #expect(Self.stackLikeMappings() - before < 120)
        }
        #expect(seen.all.count == 200)
    }

    @Test func shutdownSaysGoodbyeToEveryoneQuickly() async throws {
        let server = try WebSocketServer(configuration: Self.configuration(), handler: echo)
        var connections: [WebSocketConnection] = []
        for _ in 0..<10 { connections.append(try await WebSocketClient.connect(url: server.url)) }
        // One that never answers the close frame, one that has not even asked, one that is half through asking.
        let silent = RawSocket(port: server.port)
        silent.send(RawSocket.handshake())
        #expect(await silent.receive() != nil)
        let mute = RawSocket(port: server.port)
        let half = RawSocket(port: server.port)
        half.send("GET /echo HTTP/1.1\r\nHost:")
        #expect(await eventually { server.liveConnections == 11 })
        let clock = ContinuousClock()
        let start = clock.now
        await server.shutdown(grace: .seconds(1))
        // One second of grace; the rest is for a machine that is busy with other tests.
        #expect(clock.now - start < .seconds(4))
        for connection in connections {
            #expect(
                await connection.receive()
                    == .closed(
                        WebSocketClosure(
                            code: .goingAway, reason: "the service is shutting down", initiator: .peer)))
        }
        // 0x88: a close frame, here with code 1001.
        let goodbye = await silent.receive() ?? []
        #expect(goodbye.prefix(1) == [0x88] && goodbye.dropFirst(2).prefix(2) == [0x03, 0xE9])
        #expect(await mute.receive() == nil)
        #expect(await half.receive() == nil)
        #expect(server.liveConnections == 0)
        await #expect(throws: WebSocketError.self) { try await WebSocketClient.connect(url: server.url) }
        await server.shutdown()
    }

    @Test func shutdownWithoutConnectionsIsImmediate() async throws {
        let server = try WebSocketServer(configuration: Self.configuration(), handler: echo)
        let clock = ContinuousClock()
        let start = clock.now
        await server.shutdown(grace: .seconds(10))
        #expect(clock.now - start < .seconds(5))
    }

    @Test func shutdownDoesNotWaitForAConnectionThatIsKept() async throws {
        let server = try WebSocketServer(
            configuration: Self.configuration(), http: { _ in .text(200, "here") }, handler: echo)
        let kept = RawSocket(port: server.port)
        kept.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        var answer: [UInt8] = []
        while !String(decoding: answer, as: UTF8.self).contains("here"), let bytes = await kept.receive() {
            answer += bytes
        }
        let clock = ContinuousClock()
        let start = clock.now
        await server.shutdown(grace: .seconds(30))
        #expect(clock.now - start < .seconds(10))
        #expect(await kept.receive() == nil, "its end is closed")
    }

    @Test func aResetIsReportedAsLost() async throws {
        let outcome = Recorder<WebSocketMessage>()
        try await withServer { _ in
        } handler: { connection in
            for await message in connection.messages { outcome.add(message) }
        } _: { server in
            do {
                let socket = RawSocket(port: server.port)
                socket.send(RawSocket.handshake())
                _ = await socket.receive()
                #expect(await eventually { server.liveConnections == 1 })
                socket.reset()
            }
            #expect(await eventually { server.liveConnections == 0 })
            #expect(await eventually { outcome.all.count == 1 })
        }
        #expect(outcome.all == [.closed(.lost)])
    }

    @Test func theConnectionIsClosedWhenItsHandlerReturns() async throws {
        try await withServer { _ in
        } handler: {
            $0.send(text: "bye")
        } _: { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            #expect(await connection.receive() == .text(Array("bye".utf8)))
            #expect(
                await connection.receive() == .closed(WebSocketClosure(code: .normal, reason: "", initiator: .peer)))
        }
    }

    @Test func thePeersCloseCodeAndReasonArrive() async throws {
        let outcome = Recorder<WebSocketMessage>()
        try await withServer { _ in
        } handler: { connection in
            for await message in connection.messages { outcome.add(message) }
        } _: { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            // A reason is cut to 123 bytes, between characters.
            connection.close(code: WebSocketCloseCode(rawValue: 4001), reason: String(repeating: "ü", count: 100))
            #expect(await eventually { outcome.all.count == 1 })
        }
        #expect(
            outcome.all == [
                .closed(
                    WebSocketClosure(
                        code: WebSocketCloseCode(rawValue: 4001), reason: String(repeating: "ü", count: 61),
                        initiator: .peer))
            ])
    }

    @Test func aSilentPeerIsPingedAndThenGivenUp() async throws {
        let outcome = Recorder<WebSocketMessage>()
        try await withServer {
            $0.limits.pingInterval = .milliseconds(200)
        } handler: { connection in
            for await message in connection.messages { outcome.add(message) }
        } _: { server in
            // libwebsockets answers pings by itself: this one stays.
            let alive = try await WebSocketClient.connect(url: server.url)
            let silent = RawSocket(port: server.port)
            silent.send(RawSocket.handshake())
            _ = await silent.receive()
            #expect((await silent.receive() ?? []).first == 0x89)
            #expect(await eventually { outcome.all.count == 1 })
            #expect(server.liveConnections == 1)
            alive.close()
        }
        #expect(
            outcome.all.first
                == .closed(
                    WebSocketClosure(
                        code: .abnormal, reason: "the peer did not answer a ping", initiator: .transport)))
    }

    @Test func aPortInUseIsAnErrorThatSaysSo() async throws {
        try await withServer { server in
            var configuration = Self.configuration()
            configuration.port = server.port
            #expect(
                throws: WebSocketError.bind(
                    address: "127.0.0.1", port: server.port, code: EADDRINUSE)
            ) { try WebSocketServer(configuration: configuration, handler: echo) }
        }
    }

    @Test func anAddressThatIsNoneIsRefused() {
        var configuration = Self.configuration()
        configuration.bindAddress = "localhost"
        #expect(throws: WebSocketError.self) { try WebSocketServer(configuration: configuration, handler: echo) }
    }

    @Test func clientsLearnWhyTheyCouldNotConnect() async throws {
        for url in ["wss://127.0.0.1:1/", "http://127.0.0.1/", "ws://", "ws://127.0.0.1:99999/", "no url at all"] {
            await #expect(throws: WebSocketError.self, "\(url)") { try await WebSocketClient.connect(url: url) }
        }
        try await withServer { server in
            let error = await #expect(throws: WebSocketError.self) {
                try await WebSocketClient.connect(url: "ws://127.0.0.1:\(server.port)/elsewhere")
            }
            guard case .connect(_, let status, _)? = error else {
                Issue.record("not a connection's error: \(String(describing: error))")
                return
            }
            #expect(status == 404)
        }
    }

    /// How many writable mappings are as long as a thread's stack, give or take its guard.
    private static func stackLikeMappings() -> Int {
        guard let file = fopen("/proc/self/maps", "r") else { return 0 }
        defer { fclose(file) }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        var stack = 0
        pthread_attr_getstacksize(&attributes, &stack)
        var count = 0
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), file) != nil {
            // "7f0000000000-7f0000800000 rw-p …"
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            let fields = text.split(separator: " ")
            let bounds = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            if fields[1] == "rw-p", bounds.count == 2, abs(bounds[1] - bounds[0] - stack) <= 64 << 10 { count += 1 }
        }
        return count
    }

    private static func configuration() -> WebSocketServerConfiguration {
        var configuration = WebSocketServerConfiguration()
        configuration.paths = ["/echo"]
        return configuration
    }
}
