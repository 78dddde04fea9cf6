import CWebSockets

/// The client's side of the service. Its one connection is the service's life: when that ends, the thread ends.
extension Service {
    /// Begins to connect.
    func connect(_ request: ClientRequest) {
        guard let handles else { return request.fail(status: nil, reason: "the service has ended") }
        let peer = add(remoteAddress: request.target.host, stage: .connecting(request), socket: nil)
        var info = lws_client_connect_info()
        info.context = handles.context
        info.vhost = handles.vhost
        info.port = Int32(request.target.port)
        info.ietf_version_or_minus_one = -1
        if request.target.isTLS { info.ssl_connection = cws_client_tls_flags() }
        info.opaque_user_data = UnsafeMutableRawPointer(bitPattern: peer.key)
        let socket = request.target.host.withCString { address in
            request.target.authority.withCString { host in
                request.target.pathAndQuery.withCString { path in
                    ProtocolTable.noneName.withCString { local in
                        // libwebsockets copies these before it returns.
                        info.address = address
                        info.host = host
                        info.path = path
                        info.local_protocol_name = local
                        guard let subprotocol = request.subprotocol else {
                            return lws_client_connect_via_info(&info)
                        }
                        return subprotocol.withCString { name in
                            info.protocol = name
                            info.local_protocol_name = name
                            return lws_client_connect_via_info(&info)
                        }
                    }
                }
            }
        }
        guard let socket else {
            request.fail(status: nil, reason: "the connection was refused")
            remove(peer.key)
            return
        }
        peer.socket = socket
        setTimer(limits.handshakeTimeout, on: socket)
    }

    func clientEstablished(_ socket: OpaquePointer) -> Int32 {
        guard let peer = peer(of: socket), case .connecting(let request) = peer.stage else { return -1 }
        let target = request.target
        let parts = target.pathAndQuery.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let opening = HTTPRequest(
            method: "GET", path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            headers: ["host": target.authority], remoteAddress: target.host)
        let channel = open(peer, socket: socket, subprotocol: request.subprotocol, request: opening)
        request.succeed(channel.connection)
        return 0
    }

    func clientFailed(_ socket: OpaquePointer, reason: String) {
        guard let peer = peer(of: socket), case .connecting(let request) = peer.stage else { return }
        let status = Int(lws_http_client_http_response(socket))
        request.fail(status: status > 0 ? status : nil, reason: reason.isEmpty ? "the connection failed" : reason)
    }

    /// Adds the program's fields to the handshake; `input` is a pointer to the write position, and the room there.
    func appendClientHeaders(_ socket: OpaquePointer, _ input: UnsafeRawBufferPointer) -> Int32 {
        guard let peer = peer(of: socket), case .connecting(let request) = peer.stage,
            let start = input.baseAddress
        else { return 0 }
        let position = UnsafeMutableRawPointer(mutating: start)
            .assumingMemoryBound(to: Optional<UnsafeMutablePointer<UInt8>>.self)
        guard let first = position.pointee else { return 0 }
        let end = first + input.count
        for field in request.headers {
            let value = Array(field.value.utf8.filter { $0 >= 0x20 })
            let status = lws_add_http_header_by_name(
                socket, field.name + ":", value, Int32(value.count), position, end)
            if status != 0 { return -1 }
        }
        return 0
    }
}
