/// A request as the service read it: a plain HTTP request, or the opening handshake of a WebSocket.
public struct HTTPRequest: Sendable, Equatable {
    /// "GET" or "HEAD"; the others are refused before they come here.
    public var method: String
    /// The path, percent-decoded, without the query: "/v1/realtime". libwebsockets has resolved `.` and `..` in it; use
    /// it as a key all the same, and never as a part of a file's name.
    public var path: String
    /// What stood behind the question mark, as it was sent; empty where there was none.
    public var query: String
    /// The header fields libwebsockets knows, by lower-case name ("host", "origin", "authorization", …).
    public var headers: [String: String]
    /// The peer's numeric address.
    public var remoteAddress: String

    /// A request made of its parts.
    public init(
        method: String, path: String, query: String = "", headers: [String: String] = [:], remoteAddress: String = ""
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.remoteAddress = remoteAddress
    }
}

/// An answer to a plain HTTP request. `content-length` is added by the service.
///
/// What can be fetched again, in part or only if it has changed, is better described as an `HTTPResource`, which makes
/// the answer that fits the request.
public struct HTTPResponse: Sendable, Equatable {
    /// One header field.
    public struct Field: Sendable, Equatable {
        /// The field's name.
        public var name: String
        /// The field's value; line breaks in it are dropped when it is sent.
        public var value: String

        /// A field made of its parts.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The status code.
    public var status: Int
    /// Fields beside `content-length`.
    public var headers: [Field]
    /// The body; in answer to HEAD only its length is sent.
    public var body: HTTPBody

    /// An answer made of its parts.
    public init(status: Int, headers: [Field] = [], body: HTTPBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with its bytes.
    public init(status: Int, headers: [Field] = [], body: [UInt8] = []) {
        self.init(status: status, headers: headers, body: .bytes(body[...]))
    }

    /// A short answer in plain text, with a line end.
    public static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: [Field("content-type", "text/plain; charset=utf-8")],
            body: Array((text + "\n").utf8))
    }

    /// The status line and the fields, ready for the wire.
    func head() -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\n"
        for field in headers {
            head += "\(Self.oneLine(field.name)): \(Self.oneLine(field.value))\r\n"
        }
        // These have no body, and a length would be that of another answer.
        if status != 204, status != 304 { head += "content-length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8)
    }

    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 206: "Partial Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 410: "Gone"
        case 416: "Range Not Satisfiable"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        default: "Status"
        }
    }
}
