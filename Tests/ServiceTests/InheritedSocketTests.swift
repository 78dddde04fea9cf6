import Foundation
import Testing
import WebSockets

@testable import Server

/// What a service manager may pass on as a listening socket.
@Suite("An inherited socket") struct InheritedSocketTests {
    private static let request = "GET /healthz HTTP/1.1\r\nHost: anygptd\r\n\r\n"

    /// A server on a descriptor, which it will own.
    private func server(on descriptor: Int32) throws -> WebSocketServer {
        try WebSocketServer(
            configuration: WebSocketServerConfiguration(), listening: ListeningSocket(adopting: descriptor),
            http: { _ in .text(200, "I am here.") }, handler: { _ in })
    }

    @Test("who connected before the server began is answered; the socket goes on when the server has ended")
    func tcp() async throws {
        let listening = try TestSocket.tcp()
        let early = try listening.client()
        early.write(Self.request)
        let server = try server(on: dup(listening.descriptor))
        #expect(server.port == listening.port)
        #expect(try await onThread { early.read() }?.contains("I am here.") == true)
        await server.shutdown()
        _ = try listening.client()
    }

    @Test("a Unix socket serves as well") func unix() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "anygptd-\(UUID().uuidString).sock").path
        let listening = try TestSocket.unix(path)
        defer { unlink(path) }
        let server = try server(on: dup(listening.descriptor))
        #expect(server.port == 0)
        let client = try TestSocket.client(path)
        client.write(Self.request)
        #expect(try await onThread { client.read() }?.contains("I am here.") == true)
        await server.shutdown()
    }

    @Test("what is no listening stream socket is refused, with what it is instead") func refusals() throws {
        var pair: [Int32] = [0, 0]
        #expect(pipe(&pair) == 0)
        close(pair[1])
        let idle = try TestSocket.tcp(listens: false)
        let cases: [(Int32, String)] = [
            (pair[0], "is not a socket"), (socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0), "is not a stream socket"),
            (dup(idle.descriptor), "does not listen"), (Int32.max, "is not open"),
        ]
        for (descriptor, expected) in cases {
            let manager = ServiceManager(notifySocket: nil, watchdogInterval: nil, listeningSocket: descriptor)
            do {
                _ = try manager.openSocket(Configuration.Server())
                Issue.record("descriptor \(descriptor) was taken")
            } catch {
                #expect(error.status == .configuration && error.description.contains(expected), "\(error)")
            }
            #expect(fcntl(descriptor, F_GETFD) == -1, "it is closed")
        }
    }
}
