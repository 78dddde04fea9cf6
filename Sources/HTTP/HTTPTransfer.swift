import CCurl
import Foundation

/// One GET by libcurl, which follows redirects and shows a token to no other host.
public struct HTTPTransfer: Sendable {
    /// What a server answered before the body.
    public struct Answer {
        /// The HTTP status.
        public let status: Int
        /// The first byte of a partial answer (`Content-Range`); nil when it does not say.
        public let rangeStart: Int?
    }

    /// Why there was no answer, or not all of it.
    public struct Failure: Error, Equatable {
        /// A few words.
        public let reason: String
        /// Whether trying again may help.
        public let isTransient: Bool
        /// Whether something answered, but not in HTTP, or with a certificate that is not trusted.
        public var isAnswered = false

        /// A failure with its reason.
        public init(reason: String, isTransient: Bool) { (self.reason, self.isTransient) = (reason, isTransient) }
    }

    private let url: String
    /// Sent as `Authorization: Bearer …`.
    private let token: String?
    /// The first byte that is wanted.
    private let offset: Int
    /// Certificates in PEM that are trusted beside the system's.
    private let trust: String?
    /// Whether the proxies that the environment names are used.
    private let usesProxies: Bool
    /// How long connecting may take, and how long nothing may come.
    private let patience: (connecting: Duration, silence: Duration)
    /// Names the program to the server.
    private static let userAgent = "anygpt"

    /// A transfer to come.
    ///
    /// - Parameters:
    ///   - token: sent as `Authorization: Bearer …`.
    ///   - offset: the first byte that is wanted.
    ///   - trust: a file of certificates in PEM that are trusted beside the system's.
    ///   - usesProxies: whether the proxies that the environment names are used.
    ///   - connecting: how long connecting may take.
    ///   - silence: how long nothing may come.
    public init(
        url: String, token: String? = nil, offset: Int = 0, trust: String? = nil, usesProxies: Bool = true,
        connecting: Duration = .seconds(20), silence: Duration = .seconds(30)
    ) {
        (self.url, self.token, self.offset, self.trust) = (url, token, offset, trust)
        self.usesProxies = usesProxies
        patience = (connecting, silence)
    }

    /// Runs the transfer on this thread.
    ///
    /// - Parameters:
    ///   - answered: called once before the first byte of the body; false ends the transfer.
    ///   - body: takes bytes; what it throws ends the transfer and is thrown on.
    ///   - tick: called often, also while nothing comes; what it throws ends the transfer and is thrown on.
    public func run(
        answered: @escaping (Answer) -> Bool = { _ in true },
        body: @escaping (UnsafeRawBufferPointer) throws -> Void,
        tick: @escaping () throws -> Void = {}
    ) throws -> Answer {
        guard let handle = curl_easy_init() else {
            throw Failure(reason: "libcurl cannot be started", isTransient: false)
        }
        defer { curl_easy_cleanup(handle) }
        let context = Context(handle: handle, answered: answered, body: body, tick: tick)
        let pointer = Unmanaged.passUnretained(context).toOpaque()
        prepare(handle)
        // What went wrong in curl's longer words, which name what it tried.
        let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { words.deallocate() }
        _ = ccurl_set_words(handle, words)
        _ = ccurl_set_body(
            handle,
            { bytes, size, count, context in
                guard let context, let bytes else { return 0 }
                let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().take(part) ? size * count : 0
            }, pointer)
        _ = ccurl_set_tick(
            handle,
            { context, _, _, _, _ in
                guard let context else { return 1 }
                return Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().beat() ? 0 : 1
            }, pointer)
        let code = withExtendedLifetime(context) { curl_easy_perform(handle) }
        if let error = context.error { throw error }
        let answer = context.answer ?? Self.answer(handle)
        if context.isDeclined { return answer }
        guard code == CURLE_OK else {
            var failure = Failure(
                reason: Self.reason(code, handle, String(cString: words)),
                isTransient: Self.transient.contains(code.rawValue))
            failure.isAnswered = Self.answered.contains(code.rawValue)
            throw failure
        }
        return answer
    }

    private func prepare(_ handle: UnsafeMutableRawPointer) {
        let texts: [(CURLoption, String)] = [
            (CURLOPT_URL, url), (CURLOPT_PROTOCOLS_STR, "http,https"), (CURLOPT_USERAGENT, Self.userAgent),
            // The bytes are counted and hashed as the hub counts them: unpacked by nobody.
            (CURLOPT_ACCEPT_ENCODING, "identity"),
        ]
        for (option, text) in texts { _ = ccurl_set_text(handle, option, text) }
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_FOLLOWLOCATION, 1), (CURLOPT_MAXREDIRS, 10), (CURLOPT_NOSIGNAL, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, Int(patience.connecting / .milliseconds(1))),
            (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, max(1, Int(patience.silence / .seconds(1)))),
        ]
        for (option, number) in numbers { _ = ccurl_set_long(handle, option, number) }
        if !usesProxies { _ = ccurl_set_text(handle, CURLOPT_NOPROXY, "*") }
        if let trust { _ = ccurl_set_text(handle, CURLOPT_CAINFO, trust) }
        if offset > 0 { _ = ccurl_set_text(handle, CURLOPT_RANGE, "\(offset)-") }
        if let token {
            _ = ccurl_set_long(handle, CURLOPT_HTTPAUTH, 1 << 6)  // CURLAUTH_BEARER
            _ = ccurl_set_text(handle, CURLOPT_XOAUTH2_BEARER, token)
        }
    }

    private static let transient: Set<UInt32> = Set(
        [
            CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT,
            CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM,
        ].map(\.rawValue))

    private static let answered: Set<UInt32> = Set(
        [
            CURLE_GOT_NOTHING, CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_SSL_CONNECT_ERROR,
            CURLE_PEER_FAILED_VERIFICATION, CURLE_HTTP2,
        ].map(\.rawValue))

    /// What a person may make something of.
    private static func reason(_ code: CURLcode, _ handle: UnsafeMutableRawPointer, _ words: String) -> String {
        var number = 0
        switch code {
        case CURLE_COULDNT_CONNECT where ccurl_get_long(handle, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number != 0:
            return String(cString: strerror(Int32(number))).lowercased()
        case CURLE_OPERATION_TIMEDOUT: return "it takes too long"
        default: return words.isEmpty ? String(cString: curl_easy_strerror(code)) : words
        }
    }

    private static func answer(_ handle: UnsafeMutableRawPointer) -> Answer {
        var status = 0
        _ = ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        // Content-Range: bytes 100-199/200
        let range = ccurl_header(handle, "content-range").map { String(cString: $0) }
        let start = range?.split(separator: " ").last?.split(separator: "-").first
        return Answer(status: status, rangeStart: start.flatMap { Int($0) })
    }

    /// What the callbacks work on.
    private final class Context {
        let handle: UnsafeMutableRawPointer
        let answered: (Answer) -> Bool
        let body: (UnsafeRawBufferPointer) throws -> Void
        let tick: () throws -> Void
        var answer: Answer?
        var isDeclined = false
        var error: (any Error)?

        init(
            handle: UnsafeMutableRawPointer, answered: @escaping (Answer) -> Bool,
            body: @escaping (UnsafeRawBufferPointer) throws -> Void, tick: @escaping () throws -> Void
        ) {
            (self.handle, self.answered, self.body, self.tick) = (handle, answered, body, tick)
        }

        func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
            if answer == nil {
                let answer = HTTPTransfer.answer(handle)
                self.answer = answer
                isDeclined = !answered(answer)
                if isDeclined { return false }
            }
            return attempt { try body(bytes) }
        }

        func beat() -> Bool { attempt(tick) }

        private func attempt(_ action: () throws -> Void) -> Bool {
            do {
                try action()
                return true
            } catch {
                self.error = error
                return false
            }
        }
    }
}
