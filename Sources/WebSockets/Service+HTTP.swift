import CWebSockets

/// Plain HTTP: a request goes to the program, its answer is written in pieces.
///
/// Requests may be sent without waiting for the answers to those before, which no browser does; libwebsockets 4.1 loses one
/// that comes together with a request before it that has a field which it doesn't know.
extension Service {
    /// How much of a body is read and given to libwebsockets at once. It hands the kernel what that takes and keeps the
    /// rest, so a connection costs at most twice this much, however large the body and however slow its reader is.
    private static let pieceBytes = 32 << 10

    /// A request without an upgrade: asks the program for the answer.
    func beginExchange(_ socket: OpaquePointer) -> Int32 {
        guard let server, let peer = peer(of: socket), !isEnding else { return -1 }
        if let refusal = refusePlain(socket, peer) { return refusal }
        guard let headers = RequestHeaders(socket) else {
            return refuse(socket, .text(400, "The request is too long."))
        }
        guard headers.method == "GET" || headers.method == "HEAD" else {
            var response = HTTPResponse.text(405, "Only GET and HEAD are served here.")
            response.headers.append(HTTPResponse.Field("allow", "GET, HEAD"))
            return refuse(socket, response)
        }
        if server.configuration.paths.contains(headers.path), headers.fields["upgrade"] == nil {
            var response = HTTPResponse.text(426, "This is a WebSocket: ask for an upgrade.")
            response.headers.append(HTTPResponse.Field("upgrade", "websocket"))
            return refuse(socket, response)
        }
        let request = headers.request(from: peer.remoteAddress)
        peer.stage = .exchange(HTTPExchange(request: request))
        // Ours is the timer now: an answer may take longer to write than a handshake may take.
        lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0)
        setTimer(limits.handshakeTimeout, on: socket)
        let key = peer.key
        Task { [mailbox] in mailbox.post(.answer(key, await server.http(request))) }
        return 0
    }

    /// The program's answer is here.
    func answer(_ exchange: HTTPExchange, with response: HTTPResponse, on peer: Peer) {
        guard let socket = peer.socket, !exchange.isAnswered else { return }
        exchange.isAnswered = true
        exchange.head = response.head()
        if exchange.request.method != "HEAD" { exchange.body = response.body }
        exchange.progressed = true
        lws_callback_on_writable(socket)
    }

    /// Writes the next piece of an answer. libwebsockets asks for it when the one before has left, so that others have
    /// their turn between two pieces.
    func writeExchange(_ socket: OpaquePointer) -> Int32 {
        guard let peer = peer(of: socket), case .exchange(let exchange) = peer.stage, exchange.isAnswered
        else { return 0 }
        let kind = exchange.head == nil ? LWS_WRITE_HTTP : LWS_WRITE_HTTP_HEADERS
        let count = min(Self.pieceBytes, exchange.body.count - exchange.position)
        // A file that has become shorter can't be sent as announced: the peer learns it from the missing end.
        guard var piece = OutboundFrame(head: exchange.head ?? [], exchange.body, from: exchange.position, count: count)
        else { return -1 }
        exchange.head = nil
        exchange.position += count
        let isLast = exchange.position == exchange.body.count
        guard Self.write(&piece, isLast && kind == LWS_WRITE_HTTP ? LWS_WRITE_HTTP_FINAL : kind, to: socket) >= 0
        else { return -1 }
        exchange.progressed = true
        guard isLast else {
            lws_callback_on_writable(socket)
            return 0
        }
        // The connection is kept for another request.
        peer.stage = .handshake
        setTimer(limits.handshakeTimeout, on: socket)
        return lws_http_transaction_completed(socket) == 0 && !isEnding ? 0 : -1
    }

    // MARK: - Other protocols

    /// Turns away plain HTTP where TLS is spoken; nil when there is no reason to.
    func refusePlain(_ socket: OpaquePointer, _ peer: Peer) -> Int32? {
        guard server?.configuration.tls != nil, lws_is_ssl(socket) == 0 else { return nil }
        remark(.plainHTTP, address: peer.remoteAddress)
        return refuse(socket, .text(400, "TLS is spoken here: use https:// or wss://."))
    }

    /// What libwebsockets could not read as HTTP, it hands over as it came in.
    func refuseForeignProtocol(_ socket: OpaquePointer, _ input: UnsafeRawBufferPointer) -> Int32 {
        guard let peer = peer(of: socket) else { return -1 }
        // A TLS record that holds a handshake, of any version.
        let isTLS = input.count >= 2 && input[0] == 0x16 && input[1] == 0x03
        remark(isTLS ? .unexpectedTLS : .notHTTP, address: peer.remoteAddress)
        return -1
    }

    /// Answers at once and closes the socket. Only for short answers of our own.
    func refuse(_ socket: OpaquePointer, _ response: HTTPResponse) -> Int32 {
        var response = response
        response.headers.append(HTTPResponse.Field("connection", "close"))
        if var frame = OutboundFrame(head: response.head(), response.body, from: 0, count: response.body.count) {
            _ = Self.write(&frame, LWS_WRITE_HTTP_HEADERS, to: socket)
        }
        return -1
    }
}

extension OutboundFrame {
    /// An answer's head, if it has not been written, and some bytes of its body; nil when these can't be read.
    fileprivate init?(head: [UInt8], _ body: HTTPBody, from position: Int, count: Int) {
        var isRead = true
        isText = false
        bytes = [UInt8](unsafeUninitializedCapacity: Self.headerRoom + head.count + count) { buffer, filled in
            buffer[..<Self.headerRoom].initialize(repeating: 0)
            _ = buffer[Self.headerRoom..<Self.headerRoom + head.count].initialize(from: head)
            let start = Self.headerRoom + head.count
            isRead = body.copy(from: position, to: .init(.init(rebasing: buffer[start..<start + count])))
            filled = start + count
        }
        guard isRead else { return nil }
    }
}
