import AnyGPT
import Compute
import Foundation
import Logging
import WebSockets
import Wire

/// The daemon: models, doors and their orderly end.
public final class Daemon: Sendable {
    /// The version that `/healthz` reports.
    public static let version = "0.1.0"

    /// The port that is listened on.
    public var port: UInt16 { server.port }

    private let server: WebSocketServer
    private let configuration: Configuration
    private let logger: Logger
    private let notifySocket: NotifySocket?
    private let watchdog: Watchdog?
    private let desktop: Task<Void, Never>?

    /// Loads and warms up the models, then opens the doors: whoever can connect is answered. On a socket that the service
    /// manager opened, whoever came before waits until then.
    public init(_ configuration: Configuration, manager: ServiceManager = .none, logger: Logger) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        // First what is soon known, since the models take long.
        let web = try configuration.server.web.isEmpty ? nil : WebFiles(folder: configuration.server.web)
        let tls = try configuration.server.tls
        let socket = try manager.openSocket(configuration.server)
        try ModelFiles.check(configuration.model)
        let engine = try await Self.loadEngine(configuration, manager, logger)
        let ready = start.duration(to: clock.now)
        logger.info(
            "models are ready after \(ready.formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 2))))")
        let greeting = try Self.greeting(configuration.model.greeting)
        for line in greeting { logger.notice("\(line)") }
        self.configuration = configuration
        self.logger = logger

        let artifacts =
            engine.encodec == nil && engine.unclip == nil
            ? nil
            : try ArtifactStore(
                folder: configuration.artifacts.place(), limits: configuration.artifacts.limits,
                logger: logger)
        await artifacts?.sweep()
        let services = RealtimeServices(
            engine: engine, configuration: configuration, artifacts: artifacts, logger: logger)
        let about = AboutPage(
            model: services.modelName, version: Self.version, greeting: greeting,
            makes: (engine.unclip == nil ? [] : ["image"]) + (engine.encodec == nil ? [] : ["music"]))
        let notifySocket = manager.notifySocket
        let counter = SessionCounter { notifySocket?.send(.status(Self.status(sessions: $0))) }
        var sockets = WebSocketServerConfiguration()
        sockets.bindAddress = configuration.server.host
        sockets.port = UInt16(configuration.server.port)
        sockets.paths = ["/v1/realtime"]
        sockets.subprotocols = [OpusSubprotocol.name, "realtime"]
        sockets.maxConnections = configuration.server.maxConnections
        sockets.allowedOrigins = configuration.server.allowedOrigins
        sockets.tls = tls
        sockets.remarks = { logger.warning("\($0)") }
        sockets.limits.maxMessageBytes = configuration.server.maxMessageBytes
        let (isUnix, address, s) = (socket.isUnix, socket.isUnix ? socket.address : socket.url, tls == nil ? "" : "s")
        server = try Self.serve(sockets, on: socket) { request in
            artifacts?.response(to: request)
                ?? Self.answer(
                    request, web, about, model: services.modelName, uptime: start.duration(to: clock.now), counter)
        } handler: { connection in
            counter.change(by: 1)
            defer { counter.change(by: -1) }
            do {
                let door = WebSocketDoor(connection, limits: services.jsonLimits)
                try await RealtimeConnection(door, services).run()
            } catch {
                logger.error("a connection could not be served: \(error)")
            }
        }
        logger.notice("listening on \(isUnix ? "the Unix socket \(address)" : "ws\(s)://\(address)/v1/realtime")")
        if web != nil, !isUnix { logger.notice("the page to talk to it: http\(s)://\(WebAddress.local(address))/") }
        self.notifySocket = notifySocket
        notifySocket?.send(.ready, .status(Self.status(sessions: 0)))
        watchdog = manager.watchdogInterval.map { [server] interval in
            Watchdog(
                interval: interval, pool: engine.pool, logger: logger, onNextRound: { server.onNextRound($0) },
                ping: { notifySocket?.send(.watchdog) })
        }
        desktop = configuration.desktop.enabled ? Task { await Desktop(services, counter).run() } : nil
    }

    /// The models, loaded and run once.
    private static func loadEngine(
        _ configuration: Configuration, _ manager: ServiceManager, _ logger: Logger
    ) async throws -> Engine {
        let report = LoadingReport(manager.notifySocket)
        defer { report.finish() }
        do {
            let engine = try Engine(configuration) { what in
                logger.info("loading \(what)")
                report.tell("loading \(what)")
            }
            report.tell("warming up")
            try await engine.warmUp()
            return engine
        } catch {
            throw DaemonFailure.models(error)
        }
    }

    private static func serve(
        _ configuration: WebSocketServerConfiguration, on socket: consuming ListeningSocket,
        http: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        handler: @escaping @Sendable (WebSocketConnection) async -> Void
    ) throws(DaemonFailure) -> WebSocketServer {
        do {
            return try WebSocketServer(configuration: configuration, listening: socket, http: http, handler: handler)
        } catch {
            throw .listening(error)
        }
    }

    /// What `systemctl status` shows.
    private static func status(sessions: Int) -> String {
        sessions == 1 ? "ready: 1 conversation" : "ready: \(sessions) conversations"
    }

    /// What the model's makers say of it, line by line.
    private static func greeting(_ path: String) throws -> [String] {
        guard !path.isEmpty else { return [] }
        do {
            return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        } catch {
            throw ConfigurationError.file(path, "model.greeting cannot be read")
        }
    }

    /// Ends every session with a close frame and stops listening, within the configured grace.
    public func shutdown() async {
        watchdog?.stop()
        notifySocket?.send(.stopping, .status("saying goodbye to \(server.liveConnections) connections"))
        logger.notice("stopping: \(server.liveConnections) connections are told goodbye")
        desktop?.cancel()
        await server.shutdown(grace: .seconds(configuration.server.shutdownGrace))
        await desktop?.value
        logger.notice("stopped")
    }

    private static func answer(
        _ request: HTTPRequest, _ web: WebFiles?, _ about: AboutPage, model: String, uptime: Duration,
        _ counter: SessionCounter
    ) -> HTTPResponse {
        switch request.path {
        case "/healthz":
            let health = Health(
                status: .ok, model: model, version: version, uptimeSeconds: uptime / .seconds(1),
                sessions: counter.count)
            return HTTPResponse(
                status: 200, headers: [.init("content-type", "application/json")], body: health.encoded())
        case "/about": return about.response(to: request)
        default:
            if let response = web?.response(to: request) { return response }
            guard request.path == "/" else {
                return .text(404, "There is nothing here: connect to /v1/realtime, or ask /healthz.")
            }
            return .text(200, "anygptd \(version): connect to /v1/realtime; /healthz tells how it is.")
        }
    }
}
