import Synchronization
import Testing

@testable import WebSockets

@Suite(.serialized) struct BackPressureTests {
    @Test func aSlowReaderStopsTheSenderAndLosesNothing() async throws {
        let taken = Recorder<Int>()
        let mayRead = Recorder<Bool>()
        try await withServer {
            $0.limits.inboundMessages = 4
            $0.limits.inboundBytes = 64 << 10
        } handler: { connection in
            while mayRead.all.isEmpty { try? await Task.sleep(for: .milliseconds(5)) }
            for await message in connection.messages {
                if case .binary(let bytes) = message { taken.add(Int(bytes[0]) << 8 | Int(bytes[1])) }
            }
        } _: { server in
            var limits = WebSocketLimits()
            limits.outboundBytes = 256 << 10
            let connection = try await WebSocketClient.connect(url: server.url, limits: limits)
            let sent = Atomic<Int>(0)
            // 64 MiB: far more than the queues and the kernel's buffers hold.
            async let sender: Void = {
                for number in 0..<1024 {
                    var payload = [UInt8](repeating: 0, count: 64 << 10)
                    payload[0] = UInt8(number >> 8)
                    payload[1] = UInt8(number & 0xFF)
                    guard await connection.sendWaiting(binary: payload) else { break }
                    sent.store(number + 1, ordering: .relaxed)
                }
            }()
            // The sender comes to a stand while nobody reads.
            var before = -1
            while before != sent.load(ordering: .relaxed) {
                before = sent.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(before < 1024)
            #expect(connection.bufferedBytes <= limits.outboundBytes)
            mayRead.add(true)
            await sender
            #expect(await eventually { taken.all.count == 1024 })
            connection.close()
        }
        #expect(taken.all.elementsEqual(0..<1024))
    }

    @Test func aPeerThatNeverReadsIsClosedNotBuffered() async throws {
        let outcome = Recorder<WebSocketMessage>()
        let refused = Recorder<Int>()
        try await withServer {
            $0.limits.outboundBytes = 1 << 20
            $0.limits.closeTimeout = .milliseconds(300)
        } handler: { connection in
            // Slow enough for the service to fill the kernel's buffers first.
            while connection.send(binary: [UInt8](repeating: 0, count: 100 << 10)) {
                try? await Task.sleep(for: .milliseconds(1))
            }
            refused.add(connection.bufferedBytes)
            for await message in connection.messages { outcome.add(message) }
        } _: { server in
            let socket = RawSocket(port: server.port, receiveBuffer: 4096)
            socket.send(RawSocket.handshake())
            #expect(await eventually { !outcome.all.isEmpty })
            #expect(await eventually { server.liveConnections == 0 })
            socket.hangUp()
        }
        // What was queued is dropped with the connection.
        #expect(refused.all == [0])
        #expect(
            outcome.all == [
                .closed(
                    WebSocketClosure(
                        code: .policyViolation, reason: "the peer reads too slowly", initiator: .local))
            ])
    }

    @Test func waitingSendersAreServedInOrderAndLetGoAtTheEnd() async throws {
        try await withServer {
            $0.limits.outboundBytes = 64 << 10
            $0.limits.closeTimeout = .milliseconds(200)
        } handler: { connection in
            let outcomes = Recorder<Bool>()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        outcomes.add(await connection.sendWaiting(binary: [UInt8](repeating: 0, count: 60 << 10)))
                    }
                }
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(300))
                    connection.close()
                }
            }
            // Every one of them came back, those after the close with false.
            #expect(outcomes.all.count == 200)
            #expect(outcomes.all.contains(false))
        } _: { server in
            let socket = RawSocket(port: server.port, receiveBuffer: 4096)
            socket.send(RawSocket.handshake())
            #expect(await eventually { server.liveConnections == 1 })
            #expect(await eventually { server.liveConnections == 0 })
            socket.hangUp()
        }
    }

    @Test func aCancelledSenderGivesUpItsPlace() async {
        var limits = WebSocketLimits()
        limits.outboundBytes = 100
        let outbox = Outbox(limits: limits)
        let frame = OutboundFrame(isText: false, payload: [UInt8](repeating: 0, count: 60))
        #expect(outbox.offer(frame) == .queued)
        let waiting = Task { await outbox.offerWaiting(frame) {} }
        try? await Task.sleep(for: .milliseconds(20))
        waiting.cancel()
        #expect(await waiting.value == false)
        #expect(outbox.bytes == 60)
        // What can't wait still finds room up to the bound itself, and not beyond it.
        #expect(outbox.offer(OutboundFrame(isText: true, payload: [UInt8](repeating: 0, count: 40))) == .queued)
        #expect(outbox.offer(OutboundFrame(isText: true, payload: [0])) == .full)
    }

    @Test func aCancelledReaderReturnsNil() async throws {
        try await withServer { server in
            let connection = try await WebSocketClient.connect(url: server.url)
            let reading = Task { await connection.receive() }
            try await Task.sleep(for: .milliseconds(20))
            reading.cancel()
            #expect(await reading.value == nil)
            connection.send(text: "later")
            #expect(await connection.receive() == .text(Array("later".utf8)))
            connection.close()
        }
    }
}
