import Foundation
import Testing

@testable import WebSockets

/// Bodies of any size from files, over real sockets.
@Suite(.serialized) struct HTTPBodyTests {
    /// A file of pseudo-random bytes that is gone after the body.
    private static func withFile(
        _ count: Int, _ body: (_ path: String, _ bytes: [UInt8]) async throws -> Void
    ) async throws {
        var generator = SplitMix(state: UInt64(count))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count { withUnsafeBytes(of: generator.next()) { bytes += $0 } }
        bytes.removeLast(bytes.count - count)
        let path = NSTemporaryDirectory() + "anygpt-http-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path, bytes)
    }

    private static func serving(_ path: String) -> @Sendable (HTTPRequest) async -> HTTPResponse {
        { request in
            guard request.path == "/file", let file = HTTPFile(path: path) else { return .text(404, "no") }
            return HTTPResource(body: .file(file), contentType: "audio/flac", tag: file.tag).response(to: request)
        }
    }

    private static func ask(_ request: String, of server: WebSocketServer) async -> (head: String, body: [UInt8]) {
        let socket = RawSocket(port: server.port)
        socket.send(request)
        var all: [UInt8] = []
        while let bytes = await socket.receive() { all += bytes }
        let end = index(of: Array("\r\n\r\n".utf8), in: all[...]) ?? all.endIndex
        return (String(decoding: all[..<end], as: UTF8.self), Array(all[min(end + 4, all.endIndex)...]))
    }

    @Test func aFileArrivesWholeAndInParts() async throws {
        try await Self.withFile(5_000_000) { path, bytes in
            try await withServer(http: Self.serving(path)) { server in
                let whole = await Self.ask("GET /file HTTP/1.0\r\n\r\n", of: server)
                #expect(whole.head.hasPrefix("HTTP/1.1 200 OK\r\n") && whole.head.contains("content-length: 5000000"))
                #expect(whole.body == bytes)
                let part = await Self.ask("GET /file HTTP/1.0\r\nRange: bytes=1000000-1999999\r\n\r\n", of: server)
                #expect(part.head.hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
                #expect(part.head.contains("content-range: bytes 1000000-1999999/5000000"))
                #expect(part.body == Array(bytes[1_000_000..<2_000_000]))
                let head = await Self.ask("HEAD /file HTTP/1.0\r\n\r\n", of: server)
                #expect(head.head.contains("content-length: 5000000") && head.body.isEmpty)
                let tag = try #require(whole.head.split(separator: "\r\n").first { $0.hasPrefix("etag: ") }).dropFirst(
                    6)
                let known = await Self.ask("GET /file HTTP/1.0\r\nIf-None-Match: \(tag)\r\n\r\n", of: server)
                #expect(known.head.hasPrefix("HTTP/1.1 304 Not Modified") && known.body.isEmpty)
                let beyond = await Self.ask("GET /file HTTP/1.0\r\nRange: bytes=5000000-\r\n\r\n", of: server)
                #expect(beyond.head.hasPrefix("HTTP/1.1 416") && beyond.head.contains("bytes */5000000"))
                let stale = await Self.ask(
                    "GET /file HTTP/1.0\r\nRange: bytes=0-9\r\nIf-Range: \"other\"\r\n\r\n", of: server)
                #expect(stale.head.hasPrefix("HTTP/1.1 200") && stale.body.count == 5_000_000)
            }
        }
    }

    @Test func aConnectionIsKeptBetweenAnswersOfEveryKind() async throws {
        try await Self.withFile(200_000) { path, bytes in
            try await withServer(http: Self.serving(path)) { server in
                let socket = RawSocket(port: server.port)
                // All at once: the answers come in the order of the requests.
                let requests = ["Range: bytes=0-99999", "If-None-Match: *", "Range: bytes=999999-", "Accept: *"]
                socket.send(
                    requests.map { "GET /file HTTP/1.1\r\nHost: a\r\n\($0)\r\n\r\n" }.joined()
                        + "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.0\r\n\r\n")
                var all: [UInt8] = []
                while let more = await socket.receive() { all += more }
                var rest = all[...]
                for status in ["206 ", "304 ", "416 ", "200 ", "200 ", "404 "] {
                    let found = Self.index(of: Array("HTTP/1.1 \(status)".utf8), in: rest)
                    rest = rest[(try #require(found, "no \(status)") + 1)...]
                }
                #expect(all.count > 300_000 && all.count < 303_000)
                let start = try #require(Self.index(of: Array("\r\n\r\n".utf8), in: all[...])) + 4
                #expect(all[start..<start + 100_000].elementsEqual(bytes[..<100_000]))
            }
        }
    }

    private static func index(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        Data(bytes).range(of: Data(pattern)).map { bytes.startIndex + $0.lowerBound }
    }

    @Test func slowReadersNeitherCostMemoryNorHoldUpOthers() async throws {
        try await Self.withFile(30_000_000) { path, bytes in
            try await withServer(http: Self.serving(path)) { server in
                var crowd: [Sluggard] = []
                for _ in 0..<40 { crowd.append(Sluggard(port: server.port)) }
                let before = Self.residentKilobytes()
                for sluggard in crowd { sluggard.socket.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n") }
                let clock = ContinuousClock()
                for _ in 0..<3 {
                    let start = clock.now
                    let whole = await Self.ask("GET /file HTTP/1.0\r\nRange: bytes=0-2999999\r\n\r\n", of: server)
                    #expect(whole.body == Array(bytes[..<3_000_000]))
                    #expect(clock.now - start < .seconds(5))
                }
                // 40 bodies of 30 MB are wanted; a piece or two of each is held, beside what this test itself took in.
                #expect(Self.residentKilobytes() - before < 100_000)
                crowd = []
            }
        }
    }

    @Test func aReaderWhoTakesNothingIsCutOff() async throws {
        try await Self.withFile(30_000_000) { path, _ in
            try await withServer({ $0.limits.handshakeTimeout = .milliseconds(300) }, http: Self.serving(path)) {
                server in
                let sluggard = Sluggard(port: server.port)
                sluggard.socket.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
                try await Task.sleep(for: .seconds(1))
                var count = 0
                while let bytes = await sluggard.socket.receive() { count += bytes.count }
                #expect(count < 30_000_000)
            }
        }
    }

    @Test func aFileThatShrinksEndsTheConnection() async throws {
        try await Self.withFile(30_000_000) { path, _ in
            try await withServer(http: Self.serving(path)) { server in
                let sluggard = Sluggard(port: server.port)
                sluggard.socket.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = await sluggard.socket.receive()
                try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 10)
                var count = 0
                while let bytes = await sluggard.socket.receive() { count += bytes.count }
                #expect(count < 30_000_000)
                let next = await Self.ask("GET /file HTTP/1.0\r\n\r\n", of: server)
                #expect(next.head.contains("content-length: 10\r\n") || next.head.hasSuffix("content-length: 10"))
            }
        }
    }

    @Test func onlyRegularFilesAreFiles() async throws {
        #expect(HTTPFile(path: "/") == nil && HTTPFile(path: "/dev/zero") == nil && HTTPFile(path: "/no/such") == nil)
        let pipe = NSTemporaryDirectory() + "anygpt-pipe-\(UUID().uuidString)"
        #expect(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        #expect(HTTPFile(path: pipe) == nil)
    }

    /// A client with a small window that reads when it is told to.
    private final class Sluggard {
        let socket: RawSocket
        init(port: UInt16) { socket = RawSocket(port: port, receiveBuffer: 4096) }
    }

    private static func residentKilobytes() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "0") ?? 0
    }
}
