import CWebSockets

/// What libwebsockets calls, on the service's thread. Returning nonzero closes the socket.
func serviceCallback(
    _ socket: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ input: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    guard let socket, let context = lws_get_context(socket), let owner = lws_context_user(context) else { return 0 }
    return Unmanaged<Service>.fromOpaque(owner).takeUnretainedValue()
        .handle(reason, on: socket, user, UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : length))
}

extension Service {
    func handle(
        _ reason: lws_callback_reasons, on socket: OpaquePointer, _ user: UnsafeMutableRawPointer?,
        _ input: UnsafeRawBufferPointer
    ) -> Int32 {
        switch reason {
        case LWS_CALLBACK_RECEIVE, LWS_CALLBACK_CLIENT_RECEIVE:
            guard let (_, channel) = channel(of: socket) else { return -1 }
            receive(input, on: socket, channel)
            return 0
        case LWS_CALLBACK_SERVER_WRITEABLE, LWS_CALLBACK_CLIENT_WRITEABLE:
            guard let (_, channel) = channel(of: socket) else { return -1 }
            return write(channel, to: socket)
        case LWS_CALLBACK_RECEIVE_PONG, LWS_CALLBACK_CLIENT_RECEIVE_PONG:
            channel(of: socket)?.1.wasHeard = true
            return 0
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            // The bytes are the close frame's: a code, then the reason.
            channel(of: socket)?.1.closure = Self.closure(of: input)
            return 0
        case LWS_CALLBACK_ESTABLISHED: return established(socket)
        case LWS_CALLBACK_CLIENT_ESTABLISHED: return clientEstablished(socket)
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            clientFailed(socket, reason: String(decoding: input, as: UTF8.self))
            return 0
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return appendClientHeaders(socket, input)
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirmUpgrade(socket)
        case LWS_CALLBACK_HTTP: return beginExchange(socket)
        case LWS_CALLBACK_HTTP_WRITEABLE: return writeExchange(socket)
        case LWS_CALLBACK_RAW_RX: return refuseForeignProtocol(socket, input)
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
            // Where the user data is given otherwise, OpenSSL's context is.
            if let user { TLSAlerts.watch(OpaquePointer(user), for: self) }
            return 0
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS:
            if let user { TLSTrust.acceptLeaves(OpaquePointer(user)) }
            return 0
        case LWS_CALLBACK_RAW_RX_FILE:
            accept(from: socket)
            return 0
        case LWS_CALLBACK_TIMER: return timerFired(socket)
        case LWS_CALLBACK_WSI_DESTROY:
            let key = cws_key(socket)
            if key != 0 { remove(UInt(key)) }
            return 0
        default: return 0
        }
    }

    /// The entry of a socket.
    func peer(of socket: OpaquePointer) -> Peer? { peers[UInt(cws_key(socket))] }

    private func channel(of socket: OpaquePointer) -> (Peer, Channel)? {
        guard let peer = peer(of: socket), case .open(let channel) = peer.stage else { return nil }
        return (peer, channel)
    }

    // MARK: - Bytes in

    private func receive(_ input: UnsafeRawBufferPointer, on socket: OpaquePointer, _ channel: Channel) {
        channel.wasHeard = true
        let message = channel.assembler.append(
            input, isFirst: lws_is_first_fragment(socket) != 0, isLast: lws_is_final_fragment(socket) != 0,
            isBinary: lws_frame_is_binary(socket) != 0)
        if let message, !channel.connection.inbox.add(message), !channel.isPaused {
            channel.isPaused = true
            lws_rx_flow_control(socket, 0)
        }
    }

    private static func closure(of frame: UnsafeRawBufferPointer) -> WebSocketClosure {
        guard frame.count >= 2 else { return WebSocketClosure(code: .noStatus, reason: "", initiator: .peer) }
        let code = UInt16(frame[0]) << 8 | UInt16(frame[1])
        return WebSocketClosure(
            code: WebSocketCloseCode(rawValue: code), reason: String(decoding: frame.dropFirst(2), as: UTF8.self),
            initiator: .peer)
    }

    // MARK: - Bytes out

    private static let pingPayload = Array("anygpt".utf8)

    private func write(_ channel: Channel, to socket: OpaquePointer) -> Int32 {
        if channel.owesPing {
            channel.owesPing = false
            // Never empty: libwebsockets does not report the answer to an empty ping.
            var ping = OutboundFrame(isText: false, payload: Self.pingPayload)
            if Self.write(&ping, LWS_WRITE_PING, to: socket) < 0 { return -1 }
            lws_callback_on_writable(socket)
            return 0
        }
        while true {
            switch channel.connection.outbox.next() {
            case .nothing: return 0
            case .frame(var frame):
                if Self.write(&frame, frame.isText ? LWS_WRITE_TEXT : LWS_WRITE_BINARY, to: socket) < 0 { return -1 }
                // Choked also means that libwebsockets keeps a part of what it was given: only one message, then.
                if lws_send_pipe_choked(socket) != 0 {
                    lws_callback_on_writable(socket)
                    return 0
                }
            case .close(let code, let reason):
                if channel.closure == nil {
                    channel.closure = WebSocketClosure(code: code, reason: reason, initiator: .local)
                }
                var reason = Self.shortened(reason)
                lws_close_reason(socket, lws_close_status(UInt32(code.rawValue)), &reason, reason.count)
                return -1
            }
        }
    }

    static func write(
        _ frame: inout OutboundFrame, _ kind: lws_write_protocol, to socket: OpaquePointer
    ) -> Int32 {
        let count = frame.payloadCount
        return frame.bytes.withUnsafeMutableBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return lws_write(socket, start + OutboundFrame.headerRoom, count, kind)
        }
    }

    /// As much of a reason as a close frame holds, cut between characters.
    private static func shortened(_ reason: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for character in reason.unicodeScalars {
            let encoded = Array(String(character).utf8)
            if bytes.count + encoded.count > 123 { break }
            bytes += encoded
        }
        return bytes
    }

    // MARK: - Looking after a connection

    /// The program queued something, took something, or wants to close.
    func attend(_ channel: Channel, of peer: Peer) {
        guard let socket = peer.socket else { return }
        if channel.isPaused, !channel.connection.inbox.isPaused {
            channel.isPaused = false
            channel.wasHeard = true
            lws_rx_flow_control(socket, 1)
        }
        if channel.connection.outbox.requestedClose != nil, !channel.isClosing {
            channel.isClosing = true
            setTimer(limits.closeTimeout, on: socket)
        }
        lws_callback_on_writable(socket)
    }

    func setTimer(_ duration: Duration, on socket: OpaquePointer) {
        let (seconds, attoseconds) = duration.components
        let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        lws_set_timer_usecs(socket, max(1, (overflow ? .max / 4 : microseconds) + attoseconds / 1_000_000_000_000))
    }

    private func timerFired(_ socket: OpaquePointer) -> Int32 {
        guard let peer = peer(of: socket) else {
            // The listener's: accepting was paused for want of descriptors.
            resumeListening()
            return 0
        }
        switch peer.stage {
        case .handshake, .upgrading, .connecting:
            cws_close_soon(socket)
        case .exchange(let exchange):
            if exchange.progressed {
                exchange.progressed = false
                setTimer(limits.handshakeTimeout, on: socket)
            } else {
                cws_close_soon(socket)
            }
        case .open(let channel): checkLife(of: channel, socket)
        }
        return 0
    }

    private func checkLife(of channel: Channel, _ socket: OpaquePointer) {
        if channel.isClosing {
            // Not even the close frame could be written, or nobody answered it.
            if channel.closure == nil { channel.closure = channel.connection.outbox.requestedClose }
            cws_close_soon(socket)
            return
        }
        if channel.wasHeard || channel.isPaused {
            channel.wasHeard = false
            channel.awaitsPong = false
        } else if channel.awaitsPong {
            channel.closure = WebSocketClosure(
                code: .abnormal, reason: "the peer did not answer a ping", initiator: .transport)
            cws_close_soon(socket)
            return
        } else {
            channel.awaitsPong = true
            channel.owesPing = true
            lws_callback_on_writable(socket)
        }
        setTimer(limits.pingInterval, on: socket)
    }
}
