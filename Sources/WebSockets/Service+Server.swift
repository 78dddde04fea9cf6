import CWebSockets
import Glibc
import Synchronization

/// The server's side of the service: accepting and the opening handshake.
extension Service {
    // MARK: - Accepting

    /// Takes what waits on the listening socket, as long as there is room.
    func accept(from listener: OpaquePointer) {
        guard let server, let vhost = handles?.vhost else { return }
        let maxSockets = server.configuration.maxConnections + Self.spareSockets
        let listening = lws_get_socket_fd(listener)
        while true {
            guard peers.count < maxSockets else {
                pauseListening(listener)
                return
            }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listening, $0, &length) }
            }
            if descriptor < 0 {
                switch errno {
                case EINTR, ECONNABORTED: continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    // The socket stays readable, so asking again at once would spin.
                    pauseListening(listener)
                    setTimer(.milliseconds(200), on: listener)
                    return
                default: return
                }
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            var yes: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
            // Closes the descriptor where it fails.
            guard let socket = lws_adopt_socket_vhost(vhost, descriptor) else { continue }
            let peer = add(remoteAddress: SocketAddress(storage).text, stage: .handshake, socket: socket)
            cws_set_key(socket, Int(peer.key))
            setTimer(limits.handshakeTimeout, on: socket)
        }
    }

    // MARK: - The opening handshake

    /// Admits a WebSocket or answers why not.
    func confirmUpgrade(_ socket: OpaquePointer) -> Int32 {
        guard let server, let peer = peer(of: socket) else { return -1 }
        let configuration = server.configuration
        if let refusal = refusePlain(socket, peer) { return refusal }
        guard let headers = RequestHeaders(socket) else {
            return refuse(socket, .text(400, "The request is too long."))
        }
        guard headers.method == "GET" else { return refuse(socket, .text(405, "A WebSocket is opened with GET.")) }
        let fields = headers.fields
        guard fields["upgrade"]?.lowercased() == "websocket",
            Self.list(fields["connection"]).contains(where: { $0.lowercased() == "upgrade" }),
            let key = fields["sec-websocket-key"], key.utf8.count == 24, fields["host"] != nil
        else { return refuse(socket, .text(400, "This is not a WebSocket handshake that RFC 6455 allows.")) }
        guard fields["sec-websocket-version"] == "13" else {
            var response = HTTPResponse.text(426, "Only version 13 of the WebSocket protocol is spoken here.")
            response.headers.append(HTTPResponse.Field("sec-websocket-version", "13"))
            return refuse(socket, response)
        }
        let (origin, host) = (fields["origin"], fields["host"] ?? "")
        if let refusal = server.origins.refusal(origin: origin, host: host) {
            remark(refusal, address: peer.remoteAddress)
            return refuse(socket, .text(403, "Pages of \(origin ?? "") may not come in here."))
        }
        guard configuration.paths.contains(headers.path) else {
            return refuse(socket, .text(404, "There is no WebSocket at this path."))
        }
        let offers = Self.list(fields["sec-websocket-protocol"])
        // libwebsockets copies the offer into a buffer of this size.
        guard (fields["sec-websocket-protocol"] ?? "").utf8.count < 127, offers.allSatisfy(isToken) else {
            return refuse(socket, .text(400, "Sec-WebSocket-Protocol is malformed or longer than 126 bytes."))
        }
        let chosen = offers.first { configuration.subprotocols.contains(String($0)) }.map(String.init)
        if !offers.isEmpty, chosen == nil {
            let known = configuration.subprotocols.joined(separator: ", ")
            return refuse(
                socket, .text(400, "None of the offered subprotocols is spoken here. Offer none, or one of: \(known)"))
        }
        guard !isEnding, liveConnections.load(ordering: .relaxed) < configuration.maxConnections else {
            return refuse(socket, .text(503, "All places are taken. Try again later."))
        }
        peer.stage = .upgrading(headers.request(from: peer.remoteAddress), subprotocol: chosen)
        return 0
    }

    /// The handshake is done: makes the connection and starts its handler.
    func established(_ socket: OpaquePointer) -> Int32 {
        guard let server, let peer = peer(of: socket), case .upgrading(let request, let subprotocol) = peer.stage
        else { return -1 }
        let channel = open(peer, socket: socket, subprotocol: subprotocol, request: request)
        let connection = channel.connection
        Task {
            await server.handler(connection)
            connection.close()
            connection.abandonInbox()
        }
        return 0
    }

    /// Makes an open WebSocket of a socket's entry.
    func open(_ peer: Peer, socket: OpaquePointer, subprotocol: String?, request: HTTPRequest) -> Channel {
        let connection = WebSocketConnection(
            key: peer.key, service: self, subprotocol: subprotocol, request: request, limits: limits)
        let channel = Channel(connection: connection, limits: limits)
        peer.socket = socket
        peer.stage = .open(channel)
        liveConnections.add(1, ordering: .relaxed)
        setTimer(limits.pingInterval, on: socket)
        return channel
    }

    /// The elements of a comma-separated header field.
    private static func list(_ field: String?) -> [Substring] {
        (field ?? "").split(separator: ",").map { $0.drop { $0 == " " || $0 == "\t" } }
            .map { element in
                var element = element
                while let last = element.last, last == " " || last == "\t" { element.removeLast() }
                return element
            }
            .filter { !$0.isEmpty }
    }
}
