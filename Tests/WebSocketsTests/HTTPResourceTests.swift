import Testing

@testable import WebSockets

/// Which answer fits which request (RFC 9110, sections 13 and 14); no socket here.
@Suite struct HTTPResourceTests {
    private static let bytes = Array("0123456789".utf8)
    private static let resource = HTTPResource(
        body: .bytes(bytes[...]), contentType: "text/plain", tag: "abc", headers: [.init("x-other", "1")])

    private static func answer(_ headers: [String: String], method: String = "GET") -> HTTPResponse {
        resource.response(to: HTTPRequest(method: method, path: "/", headers: headers))
    }

    private static func text(_ response: HTTPResponse) -> String {
        var bytes = [UInt8](repeating: 0, count: response.body.count)
        let isRead = bytes.withUnsafeMutableBytes { response.body.copy(from: 0, to: $0) }
        #expect(isRead)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func field(_ name: String, _ response: HTTPResponse) -> String? {
        response.headers.first { $0.name == name }?.value
    }

    @Test func theWholeIsSentWithItsValidator() {
        let response = Self.answer([:])
        #expect(response.status == 200 && Self.text(response) == "0123456789")
        #expect(Self.field("etag", response) == "\"abc\"" && Self.field("accept-ranges", response) == "bytes")
        #expect(Self.field("content-type", response) == "text/plain" && Self.field("x-other", response) == "1")
        #expect(Self.field("cache-control", response) == "no-cache")
    }

    @Test(arguments: [
        ("bytes=0-3", "0123", "bytes 0-3/10"), ("bytes=7-", "789", "bytes 7-9/10"), ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=9-9", "9", "bytes 9-9/10"), ("bytes=5-99999999999999999999999", "56789", "bytes 5-9/10"),
        ("bytes=-100", "0123456789", "bytes 0-9/10"), (" Bytes = 1-1 ", "1", "bytes 1-1/10"),
    ])
    func aRangeIsSentAlone(_ range: String, _ text: String, _ place: String) {
        let response = Self.answer(["range": range])
        #expect(response.status == 206 && Self.text(response) == text)
        #expect(Self.field("content-range", response) == place)
    }

    @Test(arguments: ["bytes=10-", "bytes=99999999999999999999999-", "bytes=-0", "bytes=10-12"])
    func aRangeBeyondTheEndIsRefused(_ range: String) {
        let response = Self.answer(["range": range])
        #expect(response.status == 416 && response.body.count == 0)
        #expect(Self.field("content-range", response) == "bytes */10")
    }

    @Test(arguments: [
        "bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2",
        "bytes=1-2-3",
    ])
    func whatIsNoSingleRangeGetsTheWhole(_ range: String) {
        #expect(Self.answer(["range": range]).status == 200)
    }

    @Test func aRangeOfAnotherVersionGetsTheWhole() {
        #expect(Self.answer(["range": "bytes=0-1", "if-range": "\"abc\""]).status == 206)
        #expect(Self.answer(["range": "bytes=0-1", "if-range": "\"abd\""]).status == 200)
        // A weak validator or a date does not prove that the bytes are the same.
        #expect(Self.answer(["range": "bytes=0-1", "if-range": "W/\"abc\""]).status == 200)
        #expect(Self.answer(["range": "bytes=0-1"], method: "HEAD").status == 200)
    }

    @Test(arguments: ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", "\"x\",W/\"abc\" "])
    func whoHasItIsToldSo(_ known: String) {
        let response = Self.answer(["if-none-match": known, "range": "bytes=0-1"])
        #expect(response.status == 304 && response.body.count == 0)
        #expect(Self.field("etag", response) == "\"abc\"")
        #expect(!String(decoding: response.head(), as: UTF8.self).contains("content-length"))
    }

    @Test func whoHasAnotherGetsThisOne() {
        #expect(Self.answer(["if-none-match": "\"abd\", abc"]).status == 200)
    }

    @Test func withoutAValidatorThereAreNoParts() {
        let resource = HTTPResource(body: .bytes(Self.bytes[...]), contentType: "text/plain")
        let response = resource.response(
            to: HTTPRequest(method: "GET", path: "/", headers: ["range": "bytes=0-1", "if-none-match": "*"]))
        #expect(response.status == 200 && Self.field("accept-ranges", response) == nil)
    }

    @Test func partsOfPartsCountFromTheirOwnStart() {
        let body = HTTPBody.bytes(Self.bytes[...]).part(2..<9).part(1..<4)
        #expect(Self.text(HTTPResponse(status: 200, body: body)) == "345")
    }
}
