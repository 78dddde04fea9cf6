import Foundation
import Synchronization
import TestSupport

/// A small Hugging Face hub on a port of its own, on real sockets: it lists a repository, sends its files by a redirect,
/// and misbehaves as it is told.
final class HubServer: Sendable {
    /// How the next requests for a file go wrong, one after the other.
    enum Mischief: Sendable {
        /// The connection is closed after so many bytes of the body.
        case drop(after: Int)
        /// All of the file with 200, whatever part was asked for.
        case ignoreRange
        /// Another part than was asked for.
        case wrongRange
        /// A bit is wrong.
        case damage
        /// This status and no file.
        case status(Int)
    }

    struct Request: Sendable {
        let path: String
        let headers: [String: String]
    }

    private struct State {
        var files: [String: Data] = [:]
        var listing = Data()
        var token: String?
        var mischief: [Mischief] = []
        var requests: [Request] = []
    }

    private let listener: LoopbackListener
    private let state = Mutex(State())

    private var port: UInt16 { listener.port }
    var endpoint: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { state.withLock { $0.requests } }
    /// Requests for the bytes of a file.
    var downloads: [Request] { requests.filter { $0.path.hasPrefix("/cdn/") } }

    /// Serves files by their paths; `listing` is what the hub says of them.
    init(_ files: [String: Data], listing: Data, token: String? = nil) throws {
        listener = try LoopbackListener()
        state.withLock { state in
            state.files = files
            state.listing = listing
            state.token = token
        }
        listener.accept { [self] in serve($0) }
    }

    func stop() { listener.stop() }

    /// What happens to the next requests for a file.
    func misbehave(_ mischief: [Mischief]) { state.withLock { $0.mischief = mischief } }

    private func serve(_ connection: Int32) {
        var head = [UInt8]()
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), head.count < 1 << 16 {
            guard recv(connection, &byte, 1, 0) == 1 else { return }
            head.append(byte)
        }
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        let path = lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? "/"
        answer(connection, Request(path: path, headers: headers))
    }

    private func answer(_ connection: Int32, _ request: Request) {
        let (listing, token, files) = state.withLock { state in
            state.requests.append(request)
            return (state.listing, state.token, state.files)
        }
        let isOwn = !request.path.hasPrefix("/cdn/")
        if isOwn, let token, request.headers["authorization"] != "Bearer \(token)" {
            return send(connection, "401 Unauthorized", [:], Data("{}".utf8))
        }
        if request.path.hasPrefix("/api/models/owner/model/revision/main") {
            return send(connection, "200 OK", ["Content-Type": "application/json"], listing)
        }
        let prefix = "/owner/model/resolve/0123456789abcdef/"
        if request.path.hasPrefix(prefix) {
            let file = request.path.dropFirst(prefix.count)
            return send(connection, "302 Found", ["Location": "http://localhost:\(port)/cdn/\(file)"], Data())
        }
        guard let data = files[String(request.path.dropFirst("/cdn/".count)).removingPercentEncoding ?? ""] else {
            return send(connection, "404 Not Found", [:], Data("no".utf8))
        }
        sendFile(connection, data, request)
    }

    private func sendFile(_ connection: Int32, _ data: Data, _ request: Request) {
        let mischief = state.withLock { $0.mischief.isEmpty ? nil : $0.mischief.removeFirst() }
        let range = request.headers["range"]?.dropFirst("bytes=".count).split(separator: "-").first
        var start = range.flatMap { Int($0) } ?? 0
        var (status, headers) = ("200 OK", [String: String]())
        if start > 0, start >= data.count { return send(connection, "416 Range Not Satisfiable", [:], Data()) }
        var body = data
        switch mischief {
        case .status(let code): return send(connection, "\(code) Trouble", [:], Data("trouble".utf8))
        case .ignoreRange: start = 0
        case .wrongRange: start = max(0, start - 3)
        case .damage: body[body.count - 1] ^= 1
        default: break
        }
        if start > 0 {
            status = "206 Partial Content"
            headers["Content-Range"] = "bytes \(start)-\(data.count - 1)/\(data.count)"
        }
        var limit = Int.max
        if case .drop(let count) = mischief { limit = count }
        send(connection, status, headers, body.dropFirst(start), limit: limit)
    }

    private func send(
        _ connection: Int32, _ status: String, _ headers: [String: String], _ body: Data, limit: Int = .max
    ) {
        var head = "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let bytes = [UInt8]((head + "\r\n").utf8) + body.prefix(limit)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}
