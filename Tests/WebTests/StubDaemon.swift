import Audio
import Foundation
import Synchronization
import TestSupport
import WebSockets

/// A server with the page's files and a WebSocket whose events the test makes: for what the engine can't do yet, and for
/// what must come at a certain moment.
final class StubDaemon: Sendable {
    let server: WebSocketServer
    let remarks: Remarks
    private let clients: Clients

    /// The page's address.
    var page: String { "http://127.0.0.1:\(server.port)/" }

    /// What the page sent.
    var received: [[String: Any]] {
        clients.texts.compactMap { try? JSONSerialization.jsonObject(with: Data($0)) as? [String: Any] }
    }

    /// How many packets of the microphone came.
    var packets: Int { clients.packets }

    /// - Parameter makes: what it says that it can answer with, beside words.
    init(
        port: UInt16 = 0, tls: TLSFiles? = nil, files: [String: (contentType: String, bytes: [UInt8])] = [:],
        makes: [String] = []
    ) throws {
        let clients = Clients()
        let remarks = Remarks()
        var configuration = WebSocketServerConfiguration()
        configuration.port = port
        configuration.paths = ["/v1/realtime"]
        configuration.subprotocols = ["anygpt.opus.v1"]
        configuration.tls = tls
        configuration.remarks = { remarks.add($0) }
        let about = try JSONEncoder().encode(["greeting": ["A stub.", "Try: one, two"], "makes": makes])
        server = try WebSocketServer(configuration: configuration) { request in
            if let (contentType, bytes) = files[request.path] {
                return HTTPResource(body: .bytes(bytes[...]), contentType: contentType, tag: "1").response(to: request)
            }
            if request.path == "/about" { return HTTPResponse(status: 200, body: Array(about)) }
            return Self.file(request)
        } handler: { connection in
            connection.send(text: #"{"type":"session.created","session":{"id":"sess_stub"}}"#)
            clients.add(connection)
            for await message in connection.messages {
                switch message {
                case .text(let bytes): clients.add(bytes)
                case .binary: clients.countPacket()
                default: break
                }
            }
        }
        self.clients = clients
        self.remarks = remarks
    }

    /// Sends an event to every client.
    func send(_ json: String) {
        for connection in clients.all { connection.send(text: json) }
    }

    /// Sends a reply's sound, all at once: a tone of so many seconds.
    func sendTone(seconds: Int) throws {
        var settings = OpusEncoder.Settings()
        settings.sampleRate = 48_000
        let encoder = try OpusEncoder(settings)
        let tone = (0..<seconds * 48_000).map { 0.3 * Float(sin(Double($0) * 2 * .pi * 440 / 48_000)) }
        let packets = try encoder.encode(tone) + encoder.finish()
        for (number, packet) in packets.enumerated() {
            var frame: [UInt8] = [2, (number == 0 ? 1 : 0) | (number == packets.count - 1 ? 2 : 0), 0, 0]
            frame += (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
            frame += (0..<8).reversed().map { UInt8(truncatingIfNeeded: max(0, packet.start48k) >> ($0 * 8)) }
            for connection in clients.all { connection.send(binary: frame + packet.bytes) }
        }
    }

    /// What the page sent of one kind, waiting for `count` of them.
    func events(_ type: String, count: Int = 1) async -> [[String: Any]] {
        for _ in 0..<1500 {
            let found = received.filter { $0["type"] as? String == type }
            if found.count >= count { return found }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return []
    }

    private static let root = Golden.tests.deletingLastPathComponent().appending(path: "Clients/web").path

    /// The page's own files, and the tests of its modules.
    private static func file(_ request: HTTPRequest) -> HTTPResponse {
        let path = request.path == "/" ? "/index.html" : request.path
        let types = ["html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"]
        let isTest = path.hasPrefix("/tests/")
        let folder = isTest ? Golden.tests.appending(path: "WebTests/Modules").path : root
        let name = isTest ? String(path.dropFirst(6)) : path
        guard !name.contains(".."), let file = HTTPFile(path: folder + name),
            let type = types[String(name.split(separator: ".").last ?? "")]
        else {
            return request.path == "/healthz"
                ? HTTPResponse(status: 200, body: Array(#"{"status":"ok"}"#.utf8))
                : .text(404, "nothing")
        }
        return HTTPResource(body: .file(file), contentType: type, tag: file.tag).response(to: request)
    }

    /// What the server told of its clients.
    final class Remarks: Sendable {
        private let remarks = Mutex<[WebSocketRemark]>([])
        var all: [WebSocketRemark] { remarks.withLock { $0 } }
        func add(_ remark: WebSocketRemark) { remarks.withLock { $0.append(remark) } }
    }

    private final class Clients: Sendable {
        private struct State {
            var connections: [WebSocketConnection] = []
            var texts: [[UInt8]] = []
            var packets = 0
        }
        private let state = Mutex(State())
        var all: [WebSocketConnection] { state.withLock { $0.connections } }
        var texts: [[UInt8]] { state.withLock { $0.texts } }
        var packets: Int { state.withLock { $0.packets } }
        func add(_ connection: WebSocketConnection) { state.withLock { $0.connections.append(connection) } }
        func add(_ text: [UInt8]) { state.withLock { $0.texts.append(text) } }
        func countPacket() { state.withLock { $0.packets += 1 } }
    }
}
