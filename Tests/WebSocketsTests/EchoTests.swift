import Testing

@testable import WebSockets

@Suite(.serialized) struct EchoTests {
    @Test func textAndBinaryComeBackUnchanged() async throws {
        try await withServer { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            #expect(connection.subprotocol == nil)
            connection.send(text: "grüß dich")
            #expect(await connection.receive() == .text(Array("grüß dich".utf8)))
            connection.send(binary: [0, 1, 255])
            #expect(await connection.receive() == .binary([0, 1, 255]))
            connection.send(text: "")
            #expect(await connection.receive() == .text([]))
            connection.send(binary: [UInt8]())
            #expect(await connection.receive() == .binary([]))
            connection.close(code: .normal, reason: "done")
            #expect(
                await connection.receive()
                    == .closed(WebSocketClosure(code: .normal, reason: "done", initiator: .local)))
            #expect(await connection.receive() == nil)
        }
    }

    @Test(arguments: [125, 126, 127, 32_767, 32_768, 32_769, 65_535, 65_536, 1 << 20])
    func everyFrameLengthFormComesBack(count: Int) async throws {
        try await withServer { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            connection.send(binary: payload)
            #expect(await connection.receive() == .binary(payload))
            connection.close()
        }
    }

    @Test func fragmentsArePutTogetherAroundControlFrames() async throws {
        try await withServer { server in
            let socket = RawSocket(port: server.port)
            socket.send(RawSocket.handshake())
            #expect(await String(decoding: socket.receive() ?? [], as: UTF8.self).hasPrefix("HTTP/1.1 101"))
            // "grü" is cut inside the "ü"; a ping comes in between and is answered first.
            let text = Array("grüß".utf8)
            socket.send(RawSocket.frame(1, final: false, Array(text[..<3])))
            socket.send(RawSocket.frame(9, [7]))
            #expect(await socket.receive() == [0x8A, 1, 7])
            socket.send(RawSocket.frame(0, final: false, []))
            socket.send(RawSocket.frame(0, Array(text[3...])))
            #expect(await socket.receive() == [0x81, UInt8(text.count)] + text)
        }
    }

    @Test func aTooLargeMessageIsSkippedAndReported() async throws {
        try await withServer {
            $0.limits.maxMessageBytes = 1000
        } _: { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            connection.send(binary: [UInt8](repeating: 1, count: 1000))
            connection.send(binary: [UInt8](repeating: 1, count: 1001))
            connection.send(text: [UInt8](repeating: 65, count: 300_000))
            connection.send(text: "still here")
            #expect(await connection.receive() == .binary([UInt8](repeating: 1, count: 1000)))
            #expect(await connection.receive() == .text(Array("too large: 1001".utf8)))
            #expect(await connection.receive() == .text(Array("too large: 300000".utf8)))
            #expect(await connection.receive() == .text(Array("still here".utf8)))
            connection.close()
        }
    }

    @Test func textThatIsNotUTF8IsReported() async throws {
        try await withServer { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            for bytes: [UInt8] in [[0xC3], [0x41, 0xFF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] {
                connection.send(text: bytes)
                #expect(await connection.receive() == .text(Array("malformed: \(bytes.count)".utf8)))
            }
            connection.close()
        }
    }

    @Test func aSubprotocolIsAgreedOn() async throws {
        let seen = Recorder<String?>()
        try await withServer { _ in
        } handler: {
            seen.add($0.subprotocol)
            seen.add($0.request.query)
            await echo($0)
        } _: { server in
            let connection = try await WebSocketClient.connect(
                url: server.url + "?model=anygpt&x=1", subprotocol: "anygpt.opus.v1",
                headers: [HTTPResponse.Field("Authorization", "Bearer key")])
            connection.send(text: "a")
            #expect(await connection.receive() == .text([97]))
            #expect(connection.subprotocol == "anygpt.opus.v1")
            connection.close()
        }
        #expect(seen.all == ["anygpt.opus.v1", "model=anygpt&x=1"])
    }

    @Test func fiftyClientsEachGetTheirOwn() async throws {
        try await withServer { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let connection = try await WebSocketClient.connect(url: server.url)
                        for turn in 0..<20 {
                            let text = "client \(number), turn \(turn)"
                            connection.send(text: text)
                            #expect(await connection.receive() == .text(Array(text.utf8)))
                        }
                        connection.close()
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
