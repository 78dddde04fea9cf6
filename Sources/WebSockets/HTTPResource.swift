/// Something that can be fetched: with it a request gets the answer that fits it (RFC 9110), whole, in part, or "you have
/// it already".
///
///     HTTPResource(body: .file(file), contentType: "audio/flac", tag: sha256).response(to: request)
public struct HTTPResource: Sendable {
    /// What is sent.
    public var body: HTTPBody
    /// What it is, for `content-type`.
    public var contentType: String
    /// The strong validator of these very bytes, without quotes; nil: there is none, and every fetch is a whole one.
    public var tag: String?
    /// How long who may keep it, for `cache-control`. `no-cache` may keep it, but asks each time whether it is still true.
    public var cacheControl: String
    /// Further fields of every answer.
    public var headers: [HTTPResponse.Field]

    /// A resource made of its parts.
    public init(
        body: HTTPBody, contentType: String, tag: String? = nil, cacheControl: String = "no-cache",
        headers: [HTTPResponse.Field] = []
    ) {
        self.body = body
        self.contentType = contentType
        self.tag = tag.map { tag in tag.filter { $0.isASCII && $0 > " " && $0 != "\"" && $0 != "\u{7F}" } }
        self.cacheControl = cacheControl
        self.headers = headers
    }

    /// 200, 206 with a single range, 304, or 416. What a `Range` of several parts or of another unit asks for is passed
    /// over, as the standard allows: the answer is the whole.
    public func response(to request: HTTPRequest) -> HTTPResponse {
        var fields = [HTTPResponse.Field("cache-control", cacheControl)] + headers
        if let tag { fields.append(.init("etag", "\"\(tag)\"")) }
        if let tag, let known = request.headers["if-none-match"], Self.lists(known, tag) {
            return HTTPResponse(status: 304, headers: fields)
        }
        // A part is only of use to someone who can tell that the rest that it has is of the same whole.
        if tag != nil { fields.append(.init("accept-ranges", "bytes")) }
        switch requestedRange(request) {
        case .whole:
            return HTTPResponse(status: 200, headers: fields + [.init("content-type", contentType)], body: body)
        case .part(let range):
            let place = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(body.count)"
            return HTTPResponse(
                status: 206,
                headers: fields + [.init("content-type", contentType), .init("content-range", place)],
                body: body.part(range))
        case .unsatisfiable:
            return HTTPResponse(status: 416, headers: fields + [.init("content-range", "bytes */\(body.count)")])
        }
    }

    // MARK: - Ranges

    /// What a request wants of a body.
    enum Wanted: Equatable {
        case whole
        case part(Range<Int>)
        case unsatisfiable
    }

    private func requestedRange(_ request: HTTPRequest) -> Wanted {
        guard request.method == "GET", let tag, let range = request.headers["range"] else { return .whole }
        if let condition = request.headers["if-range"], condition != "\"\(tag)\"" { return .whole }
        return Self.parse(range, count: body.count)
    }

    /// Reads `bytes=first-last`, `bytes=first-` or `bytes=-length`.
    static func parse(_ field: String, count: Int) -> Wanted {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, trimmed(parts[0]).lowercased() == "bytes" else { return .whole }
        let bounds = trimmed(parts[1]).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, !bounds.contains(where: { $0.contains(",") }) else { return .whole }
        switch (number(bounds[0]), number(bounds[1])) {
        case (.some(let first), .none) where bounds[1].isEmpty:
            return first < count ? .part(first..<count) : .unsatisfiable
        case (.some(let first), .some(let last)) where first <= last:
            return first < count
                ? .part(first..<min(count, last.addingReportingOverflow(1).partialValue)) : .unsatisfiable
        case (.none, .some(let length)) where bounds[0].isEmpty:
            return length > 0 && count > 0 ? .part(max(0, count - length)..<count) : .unsatisfiable
        default: return .whole
        }
    }

    /// A decimal number without a sign; one that is too large for anything is as large as can be.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(text) ?? Int.max - 1
    }

    // MARK: - Validators

    /// Whether a list of entity tags names this one, or all. Weak tags count: for a GET that is what is compared.
    private static func lists(_ field: String, _ tag: String) -> Bool {
        if trimmed(field[...]) == "*" { return true }
        return field.split(separator: ",").contains { element in
            var element = trimmed(element)
            if element.hasPrefix("W/") { element = element.dropFirst(2) }
            return element == "\"\(tag)\""
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
