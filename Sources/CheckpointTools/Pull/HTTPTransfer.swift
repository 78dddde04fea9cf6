import CCurl
import Foundation

/// One GET by libcurl, which follows redirects and shows a token to no other host.
struct HTTPTransfer {
    /// What a server answered before the body.
    struct Answer {
        let status: Int
        /// The first byte of a partial answer (`Content-Range`); nil when it does not say.
        let rangeStart: Int?
    }

    /// Why there was no answer, or not all of it.
    struct Failure: Error, Equatable {
        let reason: String
        /// Whether trying again may help.
        let isTransient: Bool
    }

    let url: String
    /// Sent as `Authorization: Bearer …`.
    var token: String?
    /// The first byte that is wanted.
    var offset = 0
    /// Names the program to the server.
    static let userAgent = "anygpt"

    /// Runs the transfer on this thread.
    ///
    /// - Parameters:
    ///   - answered: called once before the first byte of the body; false ends the transfer.
    ///   - body: takes bytes; what it throws ends the transfer and is thrown on.
    ///   - tick: called often, also while nothing comes; what it throws ends the transfer and is thrown on.
    func run(
        answered: @escaping (Answer) -> Bool, body: @escaping (UnsafeRawBufferPointer) throws -> Void,
        tick: @escaping () throws -> Void
    ) throws -> Answer {
        guard let handle = curl_easy_init() else {
            throw Failure(reason: "libcurl cannot be started", isTransient: false)
        }
        defer { curl_easy_cleanup(handle) }
        let context = Context(handle: handle, answered: answered, body: body, tick: tick)
        let pointer = Unmanaged.passUnretained(context).toOpaque()
        prepare(handle)
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
            throw Failure(
                reason: String(cString: curl_easy_strerror(code)), isTransient: Self.transient.contains(code.rawValue))
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
            (CURLOPT_FOLLOWLOCATION, 1), (CURLOPT_MAXREDIRS, 10), (CURLOPT_CONNECTTIMEOUT, 20), (CURLOPT_NOSIGNAL, 1),
            (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, 30),
        ]
        for (option, number) in numbers { _ = ccurl_set_long(handle, option, number) }
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
