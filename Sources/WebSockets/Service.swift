import CWebSockets
import Synchronization

/// A libwebsockets context and the thread that runs it. Its callbacks only move bytes between sockets and queues.
///
/// Life: `init` makes the context, `start` its thread, which owns everything here from then on. `shutDown` lets the
/// thread close the connections, destroy the context and end. The thread keeps the service alive.
final class Service: @unchecked Sendable {
    // Invariant: `context`, `peers`, `nextKey`, `listener`, `remarkLimiter` and the flags are touched in `init`/`start` before the
    // thread exists, and after that by the thread alone. The rest is immutable or synchronised in itself.

    /// What a server's service does beside moving bytes.
    struct ServerRole: Sendable {
        let configuration: WebSocketServerConfiguration
        let origins: OriginRule
        let http: @Sendable (HTTPRequest) async -> HTTPResponse
        let handler: @Sendable (WebSocketConnection) async -> Void
    }

    /// How a client's connection is protected.
    enum Protection: Sendable {
        /// It is not.
        case plain
        /// TLS, with the certificates of a file trusted beside the system's.
        case tls(trust: String?)
    }

    let limits: WebSocketLimits
    /// nil: a client's.
    let server: ServerRole?
    /// A client's.
    let protection: Protection
    let mailbox = Mailbox()
    /// How many WebSockets are open, for whoever wants to know.
    let liveConnections = Atomic<Int>(0)

    private(set) var peers: [UInt: Peer] = [:]
    private var nextKey: UInt = 1
    private var context: OpaquePointer?
    private var listener: OpaquePointer?
    private(set) var isEnding = false
    private var isListeningPaused = false
    private var remarkLimiter = RemarkLimiter()
    private let protocols: ProtocolTable
    private let exit = Exit()

    /// Sockets beyond the admitted WebSockets: handshakes under way, HTTP requests.
    static let spareSockets = 64

    /// A server's.
    convenience init(server: ServerRole, subprotocols: [String], limits: WebSocketLimits) throws(WebSocketError) {
        try self.init(server: server, .plain, subprotocols, limits)
    }

    /// A client's.
    convenience init(client: Protection, subprotocols: [String], limits: WebSocketLimits) throws(WebSocketError) {
        try self.init(server: nil, client, subprotocols, limits)
    }

    private init(
        server: ServerRole?, _ protection: Protection, _ subprotocols: [String], _ limits: WebSocketLimits
    ) throws(WebSocketError) {
        WebSocketLog.silence()
        self.server = server
        self.protection = protection
        self.limits = limits
        protocols = ProtocolTable(subprotocols: subprotocols)
        let maxSockets = server.map { $0.configuration.maxConnections + Self.spareSockets } ?? 1
        var info = lws_context_creation_info()
        info.port = server == nil ? CONTEXT_PORT_NO_LISTEN : CONTEXT_PORT_NO_LISTEN_SERVER
        info.protocols = protocols.pointer
        info.user = Unmanaged.passUnretained(self).toOpaque()
        info.gid = -1
        info.uid = -1
        info.pt_serv_buf_size = UInt32(ProtocolTable.bufferBytes)
        info.max_http_header_data2 = 16 << 10
        info.max_http_header_pool = UInt16(clamping: maxSockets)
        // The listener, the wake-up descriptor and some of libwebsockets' own. With a limit of ours the tables have
        // that size; without one they have the size of RLIMIT_NOFILE, which may be a million.
        info.fd_limit_per_thread = UInt32(maxSockets + 8)
        info.timeout_secs = UInt32(max(1, limits.handshakeTimeout.components.seconds))
        info.keepalive_timeout = 5
        if server != nil { info.options |= UInt64(LWS_SERVER_OPTION_FALLBACK_TO_APPLY_LISTEN_ACCEPT_CONFIG) }
        let created =
            if case .tls(let trust) = protection {
                Self.create(&info, trust: trust)
            } else {
                Self.create(&info, tls: server?.configuration.tls)
            }
        guard let created, let context = OpaquePointer(bitPattern: created) else {
            throw .setup("libwebsockets refused to create a context")
        }
        self.context = context
        mailbox.open(context)
    }

    /// Makes the context; with `tls`, one that speaks it. Gives the context's address.
    private static func create(_ info: inout lws_context_creation_info, tls: TLSFiles?) -> UInt? {
        setupLock.withLock { _ in
            guard let tls else { return lws_create_context(&info).map { UInt(bitPattern: $0) } }
            info.options |= cws_tls_options()
            return tls.certificate.withCString { certificate in
                tls.privateKey.withCString { key in
                    "http/1.1".withCString { alpn in
                        info.ssl_cert_filepath = certificate
                        info.ssl_private_key_filepath = key
                        // What we write is HTTP/1.1.
                        info.alpn = alpn
                        return lws_create_context(&info).map { UInt(bitPattern: $0) }
                    }
                }
            }
        }
    }

    /// Makes a client's context that speaks TLS. Gives the context's address.
    private static func create(_ info: inout lws_context_creation_info, trust: String?) -> UInt? {
        setupLock.withLock { _ in
            info.options |= cws_client_tls_options()
            guard let trust else { return lws_create_context(&info).map { UInt(bitPattern: $0) } }
            return trust.withCString { trust in
                info.client_ssl_ca_filepath = trust
                return lws_create_context(&info).map { UInt(bitPattern: $0) }
            }
        }
    }

    /// Context creation and destruction touch libwebsockets' globals.
    private static let setupLock = Mutex(())

    /// Starts the thread; a server's begins to accept.
    func start(name: String, listening socket: consuming ListeningSocket?) throws(WebSocketError) {
        if let socket {
            guard let vhost = lws_get_vhost_by_name(context, "default"),
                let listener = cws_watch(vhost, socket.release(), ProtocolTable.noneName)
            else {
                destroyContext()
                throw .setup("libwebsockets did not take the listening socket")
            }
            self.listener = listener
        }
        do {
            let thread = try ServiceThread(name: name) { [self] in run() }
            // A client's ends by itself with its connection; a server's is joined by `shutDown`.
            if server == nil { thread.detach() } else { exit.thread(thread) }
        } catch {
            destroyContext()
            throw error
        }
    }

    /// Asks the thread to look after a connection.
    func attend(_ key: UInt) { mailbox.attend(key) }

    /// Closes every connection with 1001, waits for that at most `grace`, and ends the thread.
    func shutDown(grace: Duration) async {
        mailbox.post(.shutDown)
        let limit = Task { [mailbox] in
            try await Task.sleep(for: grace)
            mailbox.post(.giveUp)
        }
        await exit.wait()
        limit.cancel()
    }

    // MARK: - On the service thread

    private func run() {
        while !(isEnding && peers.isEmpty), let context {
            if lws_service(context, 0) < 0 { break }
            if !process(mailbox.take()) { break }
        }
        destroyContext()
        exit.signal()
    }

    private func destroyContext() {
        mailbox.close()
        if let context {
            self.context = nil
            let address = UInt(bitPattern: context)
            Self.setupLock.withLock { _ in lws_context_destroy(OpaquePointer(bitPattern: address)) }
        }
        for peer in peers.values { finish(peer) }
        peers = [:]
    }

    /// Does what other threads asked for; returns false when the service is to end at once.
    private func process(_ delivery: Mailbox.Delivery) -> Bool {
        for key in delivery.attend {
            if let peer = peers[key], case .open(let channel) = peer.stage { attend(channel, of: peer) }
        }
        for command in delivery.commands {
            switch command {
            case .answer(let key, let response):
                if let peer = peers[key], case .exchange(let exchange) = peer.stage {
                    answer(exchange, with: response, on: peer)
                }
            case .connect(let request): connect(request)
            case .call(let body): body()
            case .shutDown: beginEnd()
            case .giveUp: return false
            }
        }
        return true
    }

    /// Tells whoever runs the server about a client, unless that was told just now.
    func remark(_ kind: WebSocketRemark.Kind, address: SocketAddress) {
        remark(kind, address: address.text)
    }

    /// As above, for an address in numbers.
    func remark(_ kind: WebSocketRemark.Kind, address: String) {
        if let remark = remarkLimiter.admit(WebSocketRemark(kind: kind, address: address)) {
            server?.configuration.remarks(remark)
        }
    }

    private func beginEnd() {
        guard !isEnding else { return }
        isEnding = true
        if let listener {
            cws_close_now(listener)
            self.listener = nil
        }
        // A copy: closing a socket changes the table.
        for peer in Array(peers.values) {
            switch peer.stage {
            case .open(let channel):
                channel.connection.close(code: .goingAway, reason: "the service is shutting down")
            case .exchange(let exchange) where exchange.isAnswered: break
            case .handshake:
                // Nothing is on its way, so nobody is waited for: libwebsockets would, until the peer closes its end.
                if let socket = peer.socket { cws_close_soon(socket) }
                remove(peer.key)
            case .upgrading, .exchange, .connecting:
                if let socket = peer.socket { cws_close_soon(socket) } else { remove(peer.key) }
            }
        }
    }

    /// Enters a socket into the table.
    func add(remoteAddress: String, stage: Peer.Stage, socket: OpaquePointer?) -> Peer {
        let peer = Peer(key: nextKey, remoteAddress: remoteAddress, stage: stage, socket: socket)
        nextKey += 1
        peers[peer.key] = peer
        return peer
    }

    /// Takes a socket out of the table and tells whoever waits for it.
    func remove(_ key: UInt) {
        guard let peer = peers.removeValue(forKey: key) else { return }
        finish(peer)
        if server == nil { endWithConnection() }
        resumeListening()
    }

    /// A client's service ends with its connection.
    func endWithConnection() { isEnding = true }

    /// Stops accepting until a socket has gone or the listener's timer fires.
    func pauseListening(_ listener: OpaquePointer) {
        isListeningPaused = true
        lws_rx_flow_control(listener, 0)
    }

    /// Accepts again, if that was paused.
    func resumeListening() {
        guard isListeningPaused, let listener else { return }
        isListeningPaused = false
        lws_rx_flow_control(listener, 1)
    }

    private func finish(_ peer: Peer) {
        switch peer.stage {
        case .open(let channel):
            liveConnections.subtract(1, ordering: .relaxed)
            channel.connection.outbox.finish()
            _ = channel.connection.inbox.add(.closed(channel.closure ?? .lost))
        case .connecting(let request):
            request.fail(status: nil, reason: "the connection was closed before it was established")
        case .handshake, .exchange, .upgrading: break
        }
    }

    /// The `lws_vhost` and the context, for the files that make sockets.
    var handles: (context: OpaquePointer, vhost: OpaquePointer)? {
        guard let context, let vhost = lws_get_vhost_by_name(context, "default") else { return nil }
        return (context, vhost)
    }
}

/// The end of a service's thread, for those who wait for it.
private final class Exit: Sendable {
    private struct State: ~Copyable {
        var isOver = false
        var thread: ServiceThread?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func thread(_ thread: consuming sending ServiceThread) {
        var thread: ServiceThread? = consume thread
        state.withLock { $0.thread = thread.take() }
    }

    /// Called by the thread as the last thing it does.
    func signal() {
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the thread is gone.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiters.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
        // Has signalled, so this does not block; the first one here joins.
        if let thread = state.withLock({ $0.thread.take() }) { thread.join() }
    }
}
