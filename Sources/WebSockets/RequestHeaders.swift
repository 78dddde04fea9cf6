import CWebSockets

/// The head of a request, read out of libwebsockets' header table. Only valid while the request is being handled.
struct RequestHeaders {
    let method: String
    let path: String
    let query: String
    /// By lower-case name.
    let fields: [String: String]

    /// nil when there is no request, or a part of it doesn't fit the table.
    init?(_ socket: OpaquePointer) {
        var uri: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        let method = lws_http_get_uri_and_method(socket, &uri, &length)
        guard method >= 0, let uri, length >= 0 else { return nil }
        path = Self.string(uri, count: Int(length))
        self.method = Self.methods.first { $0.0 == method }?.1 ?? "other"
        query = Self.query(socket)
        var fields: [String: String] = [:]
        for (name, token) in Self.tokens {
            if let value = Self.value(of: token, socket) { fields[name] = value }
        }
        self.fields = fields
    }

    func request(from address: String) -> HTTPRequest {
        HTTPRequest(method: method, path: path, query: query, headers: fields, remoteAddress: address)
    }

    private static let methods: [(Int32, String)] = [
        (Int32(LWSHUMETH_GET), "GET"), (Int32(LWSHUMETH_HEAD), "HEAD"),
        (Int32(LWSHUMETH_POST), "POST"),
    ]

    /// The header fields that libwebsockets recognises: names that end with a colon in its token list.
    private static let tokens: [(String, lws_token_indexes)] = (0..<UInt32(WSI_TOKEN_COUNT.rawValue)).compactMap {
        let token = lws_token_indexes($0)
        guard let name = lws_token_to_string(token) else { return nil }
        let text = String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
        guard text.hasSuffix(":"), !text.hasPrefix(":"), text.count > 1 else { return nil }
        return (String(text.dropLast()), token)
    }

    private static func value(of token: lws_token_indexes, _ socket: OpaquePointer) -> String? {
        let length = Int(lws_hdr_total_length(socket, token))
        guard length > 0 else { return nil }
        var buffer = [CChar](repeating: 0, count: length + 1)
        guard lws_hdr_copy(socket, &buffer, Int32(buffer.count), token) >= 0 else { return nil }
        return string(buffer, count: length)
    }

    /// The arguments, which libwebsockets keeps one by one.
    private static func query(_ socket: OpaquePointer) -> String {
        var parts: [String] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        while true {
            let count = lws_hdr_copy_fragment(
                socket, &buffer, Int32(buffer.count), WSI_TOKEN_HTTP_URI_ARGS, Int32(parts.count))
            guard count >= 0 else { return parts.joined(separator: "&") }
            parts.append(string(buffer, count: Int(count)))
        }
    }

    private static func string(_ pointer: UnsafePointer<CChar>, count: Int) -> String {
        pointer.withMemoryRebound(to: UInt8.self, capacity: count) {
            String(decoding: UnsafeBufferPointer(start: $0, count: count).prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
